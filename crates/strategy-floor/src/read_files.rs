//! `read-files`: one file after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::Sequential;

impl Run<ReadFiles> for Sequential {
    fn how(_: &ReadFilesParams) -> How {
        How::floor("one fs::read after the other", "https://doc.rust-lang.org/std/fs/fn.read.html")
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        one_after_the_other(input.len(), |index| input.read_and_hash(index))
    }
}

/// The XOR of what `file` makes of each.
pub(crate) fn one_after_the_other(
    files: usize,
    file: impl Fn(usize) -> io::Result<Digest>,
) -> io::Result<Digest> {
    (0..files).try_fold(Digest::of_number(0), |all, index| Ok(all ^ file(index)?))
}
