//! `write-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::sync::Arc;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;
use worker::{How, Run};
use workloads::Digest;
use workloads::write_files::{Targets, WriteFiles, WriteFilesParams};

use crate::read_files::{for_each, read_in_steps};
use crate::{Misuse, Tokio};

impl Run<WriteFiles> for Tokio {
    fn how(_: &WriteFilesParams) -> How {
        How::fair(
            "a bounded number of tasks, one spawn_blocking per whole file",
            "https://docs.rs/tokio/latest/tokio/fs/index.html#tuning-your-file-io",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        let targets = Arc::clone(input);
        let write = move |index| {
            let targets = Arc::clone(&targets);
            async move { spawn_blocking(move || targets.write_and_read_back(index)).await? }
        };
        self.runtime.block_on(for_each(input.len(), input.in_flight(), write))
    }
}

impl Run<WriteFiles> for Misuse {
    fn how(_: &WriteFilesParams) -> How {
        How::misuse(
            "tokio::fs::File in steps of 4 KiB: a hop to the blocking pool for each of them",
            "https://docs.rs/tokio/latest/tokio/fs/index.html#tuning-your-file-io",
        )
    }

    fn run(&self, input: &Arc<Targets>) -> io::Result<Digest> {
        let targets = Arc::clone(input);
        let write = move |index| write_in_steps(Arc::clone(&targets), index);
        self.0.runtime.block_on(for_each(input.len(), input.in_flight(), write))
    }
}

async fn write_in_steps(targets: Arc<Targets>, index: usize) -> io::Result<Digest> {
    let mut file = File::create(targets.path(index)).await?;
    for step in targets.bytes(index).chunks(4096) {
        file.write_all(step).await?;
    }
    file.flush().await?;
    drop(file);
    Ok(targets.hash(&read_in_steps(targets.path(index)).await?))
}
