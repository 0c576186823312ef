//! `read-files`: a parallel iterator over the files.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::Rayon;

impl Run<ReadFiles> for Rayon {
    fn how(_: &ReadFilesParams) -> How {
        How::fair(
            "a parallel iterator over the files, reduced with XOR; the page cache makes them CPU work",
            "https://docs.rs/rayon/latest/rayon/iter/trait.ParallelIterator.html#method.try_reduce",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        self.pool.install(|| xor(input.len(), |index| input.read_and_hash(index)))
    }
}

/// The XOR of what `hash` returns for every file.
pub(crate) fn xor(
    files: usize,
    hash: impl Fn(usize) -> io::Result<Digest> + Sync + Send,
) -> io::Result<Digest> {
    (0..files)
        .into_par_iter()
        .map(hash)
        .try_reduce(|| Digest::of_number(0), |all, one| Ok(all ^ one))
}
