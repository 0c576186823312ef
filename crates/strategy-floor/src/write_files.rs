//! `write-files`: one file after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::write_files::{Targets, WriteFiles, WriteFilesParams};

use crate::Sequential;
use crate::read_files::one_after_the_other;

impl Run<WriteFiles> for Sequential {
    fn how(_: &WriteFilesParams) -> How {
        How::floor(
            "one file written and read back after the other",
            "https://doc.rust-lang.org/std/fs/struct.File.html",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        one_after_the_other(input.len(), |index| input.write_and_read_back(index))
    }
}
