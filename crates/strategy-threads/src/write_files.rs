//! `write-files`: a thread per worker, each taking the next file.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::write_files::{Targets, WriteFiles, WriteFilesParams};

use crate::Threads;

impl Run<WriteFiles> for Threads {
    fn how(_: &WriteFilesParams) -> How {
        How::fair(
            "one scoped thread per worker, each taking the next file from a shared counter",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        self.share_out(input.len(), |index| input.write_and_read_back(index))
    }
}
