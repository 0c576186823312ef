//! `read-files`: one file after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::{EventLoop, Sequential};

impl Run<ReadFiles> for Sequential {
    fn how(_: &ReadFilesParams) -> Option<How> {
        How::floor("one fs::read after the other", "https://doc.rust-lang.org/std/fs/fn.read.html")
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        (0..input.len())
            .try_fold(Digest::of_number(0), |all, index| Ok(all ^ input.read_and_hash(index)?))
    }
}

impl Run<ReadFiles> for EventLoop {
    fn how(_: &ReadFilesParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Files>) -> io::Result<Digest> {
        Err(unsupported("a file on disk is always ready: a readiness loop has nothing to wait for"))
    }
}
