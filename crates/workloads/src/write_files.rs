//! `write-files`: what does it cost to create many small files and read them back?

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::files::Files;
use crate::random::fill;
use crate::{
    Census, Class, Definition, Digest, Facts, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// Folders that the files are spread over, so that the lock which a file system holds on a folder
/// while a file is made in it does not queue the strategies up.
const FOLDERS: usize = 64;

/// The workload `write-files`.
#[derive(Debug)]
pub struct WriteFiles;

params! {
    /// The parameters of `write-files`.
    pub struct WriteFilesParams {
        /// files to write
        pub files: u64 in 1..=5_000,
        /// size of a file, KiB
        pub kib: u64 in 1..=256,
        /// most files handed over at once by a strategy that hands them over
        pub in_flight: u64 in 1..=256,
    }
}

impl Definition for WriteFiles {
    const SPEC: Spec = Spec {
        name: "write-files",
        class: Class::Io,
        question: "What does it cost to create many small files and read them back?",
        operation: "file",
        metric: Metric::Wall,
    };
    type Params = WriteFilesParams;

    fn cases(profile: Profile) -> Vec<WriteFilesParams> {
        let files = match profile {
            Profile::Smoke => 50,
            _ => 500,
        };
        vec![WriteFilesParams { files, kib: 16, in_flight: 16 }]
    }

    fn label(_: &WriteFilesParams) -> String {
        String::new()
    }

    fn operations(params: &WriteFilesParams) -> u64 {
        params.files
    }

    fn limit(_: &WriteFilesParams) -> Limit {
        Limit::SequentialOverWorkers
    }
}

impl Workload for WriteFiles {
    type Input = Targets;

    fn prepare(params: &WriteFilesParams, site: &Site<'_>) -> io::Result<Targets> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        let folder = site.scratch.join(format!("write-files-{}-{number}", process::id()));
        let path = |index| folder.join(format!("{:02}/{index:06}", index % FOLDERS));
        let (files, size) = (params.files as usize, params.kib as usize * 1024);
        let mut bytes = vec![0; files * size];
        for (index, file) in bytes.chunks_mut(size).enumerate() {
            fill(file, index as u64);
        }
        let targets = Targets {
            files: Files::new((0..files).map(path).collect(), params.in_flight),
            bytes,
            size,
            folder,
        };
        for folder in 0..FOLDERS {
            fs::create_dir_all(targets.folder.join(format!("{folder:02}")))?;
        }
        Ok(targets)
    }

    fn expected(input: &Targets) -> io::Result<Digest> {
        let hashes = (0..input.len()).map(|index| input.hash(input.bytes(index)));
        Ok(hashes.fold(Digest::of_number(0), |all, one| all ^ one))
    }

    fn census(input: &Targets) -> &Census {
        input.census()
    }

    /// Removes the files, so that the next run has to create them again.
    fn facts(input: &Targets) -> Result<Facts, String> {
        let lacking: Vec<_> = input.paths().iter().filter(|path| !input.remove(path)).collect();
        match lacking.first() {
            None => Ok(Facts::new()),
            Some(first) => Err(format!(
                "{} of {} files are missing or not whole, {} first",
                lacking.len(),
                input.len(),
                first.display()
            )),
        }
    }
}

/// The files to write: their folders are there, the files are not.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Targets {
    files: Files,
    folder: PathBuf,
    bytes: Vec<u8>,
    size: usize,
}

impl Deref for Targets {
    type Target = Files;

    fn deref(&self) -> &Files {
        &self.files
    }
}

impl Targets {
    /// What belongs into file `index`.
    pub fn bytes(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.size..][..self.size]
    }

    /// Creates file `index`, writes and flushes it, opens it again, reads it whole and hashes what
    /// was read, blocking the calling thread.
    ///
    /// Flushing hands the bytes to the page cache and no further. Waiting for the disk would be the
    /// same for all and would drown what is compared.
    ///
    /// # Errors
    /// If the file cannot be written or read.
    pub fn write_and_read_back(&self, index: usize) -> io::Result<Digest> {
        let mut file = File::create(self.path(index))?;
        file.write_all(self.bytes(index))?;
        file.flush()?;
        drop(file);
        self.read_and_hash(index)
    }

    /// Removes a file and says whether it was there with all its bytes.
    fn remove(&self, path: &Path) -> bool {
        let size = fs::metadata(path).map(|file| file.len());
        fs::remove_file(path).is_ok() && size.is_ok_and(|size| size == self.size as u64)
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        // What is left goes with the folder that holds it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// The targets and the folder that they lie in.
    fn targets() -> (TempDir, Targets) {
        let scratch = TempDir::new().unwrap();
        let params = WriteFilesParams { files: 70, kib: 1, in_flight: 1 };
        let targets = WriteFiles::prepare(&params, &Site::alone(scratch.path())).unwrap();
        (scratch, targets)
    }

    fn run(targets: &Targets, files: impl Iterator<Item = usize>) -> Digest {
        files
            .map(|index| targets.write_and_read_back(index).unwrap())
            .fold(Digest::of_number(0), |all, one| all ^ one)
    }

    #[test]
    fn every_run_creates_the_files_anew_and_the_order_does_not_count() {
        let (_scratch, targets) = targets();
        let expected = WriteFiles::expected(&targets).unwrap();
        for _ in 0..2 {
            assert!(!targets.path(3).exists());
            assert_eq!(run(&targets, (0..70).rev()), expected);
            assert_eq!(fs::read(targets.path(3)).unwrap(), targets.bytes(3));
            WriteFiles::facts(&targets).unwrap();
        }
    }

    #[test]
    fn a_file_not_written_is_missed_by_name_and_spoils_the_answer() {
        let (_scratch, targets) = targets();
        let answer = run(&targets, (0..70).filter(|&index| index != 7));
        assert_ne!(answer, WriteFiles::expected(&targets).unwrap());
        let reason = WriteFiles::facts(&targets).unwrap_err();
        assert!(reason.contains("1 of 70") && reason.contains("07/000007"), "{reason}");
    }

    #[test]
    fn a_file_cut_short_is_noticed() {
        let (_scratch, targets) = targets();
        run(&targets, 0..70);
        File::options().write(true).open(targets.path(9)).unwrap().set_len(1).unwrap();
        assert!(WriteFiles::facts(&targets).unwrap_err().contains("09/000009"));
    }

    #[test]
    fn the_folder_goes_with_the_input() {
        let (_scratch, targets) = targets();
        run(&targets, 0..70);
        let folder = targets.folder.clone();
        assert!(folder.exists());
        drop(targets);
        assert!(!folder.exists());
    }
}
