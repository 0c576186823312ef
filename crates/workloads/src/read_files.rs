//! `read-files`: read and hash many files that are in the page cache.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

pub use crate::files::Files;
use crate::random::fill;
use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `read-files`.
#[derive(Debug)]
pub struct ReadFiles;

params! {
    /// The parameters of `read-files`.
    pub struct ReadFilesParams {
        /// files to read
        pub files: u64 in 1..=20_000,
        /// size of a file, KiB
        pub kib: u64 in 1..=256,
        /// most reads handed over at once by a strategy that hands them over
        pub in_flight: u64 in 1..=256,
    }
}

impl Definition for ReadFiles {
    const SPEC: Spec = Spec {
        name: "read-files",
        class: Class::Io,
        question: "What does it cost to read many small files that the page cache holds?",
        operation: "file",
        metric: Metric::Wall,
    };
    type Params = ReadFilesParams;

    fn cases(profile: Profile) -> Vec<ReadFilesParams> {
        let files = match profile {
            Profile::Smoke => 100,
            _ => 2_000,
        };
        vec![ReadFilesParams { files, kib: 16, in_flight: 16 }]
    }

    fn label(_: &ReadFilesParams) -> String {
        String::new()
    }

    fn operations(params: &ReadFilesParams) -> u64 {
        params.files
    }

    fn limit(_: &ReadFilesParams) -> Limit {
        Limit::SequentialOverWorkers
    }
}

impl Workload for ReadFiles {
    type Input = Files;

    fn prepare(params: &ReadFilesParams, site: &Site<'_>) -> io::Result<Files> {
        let folder = site.scratch.join(format!("read-files-{}x{}k", params.files, params.kib));
        let paths: Vec<PathBuf> =
            (0..params.files).map(|index| folder.join(format!("{index:06}"))).collect();
        let complete = folder.join("complete");
        if !complete.exists() {
            fs::create_dir_all(&folder)?;
            let mut bytes = vec![0; params.kib as usize * 1024];
            for (index, path) in paths.iter().enumerate() {
                fill(&mut bytes, index as u64);
                fs::File::create(path)?.write_all(&bytes)?;
            }
            fs::File::create(complete)?;
        }
        Ok(Files::new(paths, params.in_flight))
    }

    fn expected(input: &Files) -> io::Result<Digest> {
        (0..input.len()).try_fold(Digest::of_number(0), |all, index| {
            Ok(all ^ crate::digest_of_bytes(&fs::read(input.path(index))?))
        })
    }

    fn census(input: &Files) -> &Census {
        input.census()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_once_and_the_answer_does_not_depend_on_the_order() {
        let scratch = tempfile::tempdir().unwrap();
        let params = ReadFilesParams { files: 3, kib: 1, in_flight: 1 };
        let files = ReadFiles::prepare(&params, &Site::alone(scratch.path())).unwrap();
        let made = fs::metadata(files.path(0)).unwrap().modified().unwrap();
        let again = ReadFiles::prepare(&params, &Site::alone(scratch.path())).unwrap();
        assert_eq!(fs::metadata(again.path(0)).unwrap().modified().unwrap(), made);

        let backwards = (0..3)
            .rev()
            .map(|index| files.read_and_hash(index).unwrap())
            .fold(Digest::of_number(0), |all, one| all ^ one);
        assert_eq!(backwards, ReadFiles::expected(&files).unwrap());
        scratch.close().unwrap();
        assert!(files.read_and_hash(0).is_err());
    }
}
