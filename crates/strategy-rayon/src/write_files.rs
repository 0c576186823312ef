//! `write-files`: a parallel iterator over the files.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::write_files::{Targets, WriteFiles, WriteFilesParams};

use crate::Rayon;
use crate::read_files::xor;

impl Run<WriteFiles> for Rayon {
    fn how(_: &WriteFilesParams) -> How {
        How::fair(
            "a parallel iterator over the files, reduced with XOR; the page cache makes them CPU work",
            "https://docs.rs/rayon/latest/rayon/iter/trait.ParallelIterator.html#method.try_reduce",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        self.pool.install(|| xor(input.len(), |index| input.write_and_read_back(index)))
    }
}
