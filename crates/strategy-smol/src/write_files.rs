//! `write-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::sync::Arc;

use smol::fs::File;
use smol::io::AsyncWriteExt;
use smol::unblock;
use worker::{How, Run};
use workloads::Digest;
use workloads::write_files::{Targets, WriteFiles, WriteFilesParams};

use crate::read_files::{each_file, read_in_steps};
use crate::{Misuse, Smol};

impl Run<WriteFiles> for Smol {
    fn how(_: &WriteFilesParams) -> How {
        How::fair(
            "a bounded number of tasks, one unblock per whole file",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        let targets = Arc::clone(input);
        each_file(input.len(), input.in_flight(), move |index| {
            let targets = Arc::clone(&targets);
            unblock(move || targets.write_and_read_back(index))
        })
    }
}

impl Run<WriteFiles> for Misuse {
    fn how(_: &WriteFilesParams) -> How {
        How::misuse(
            "smol::fs::File in steps of 4 KiB: five hops per file, and every byte goes \
             through two pipes",
            "https://docs.rs/smol/latest/smol/struct.Unblock.html",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        let targets = Arc::clone(input);
        each_file(input.len(), input.in_flight(), move |index| {
            write_and_read_back(Arc::clone(&targets), index)
        })
    }
}

async fn write_and_read_back(targets: Arc<Targets>, index: usize) -> io::Result<Digest> {
    let mut file = File::create(targets.path(index)).await?;
    for step in targets.bytes(index).chunks(4096) {
        file.write_all(step).await?;
    }
    file.flush().await?;
    drop(file);
    Ok(targets.hash(&read_in_steps(targets.path(index)).await?))
}
