//! `read-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::task::{JoinSet, spawn_blocking};
use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::{Misuse, Tokio};

impl Run<ReadFiles> for Tokio {
    fn how(_: &ReadFilesParams) -> How {
        How::fair(
            "a bounded number of tasks, one spawn_blocking per whole file",
            "https://docs.rs/tokio/latest/tokio/fs/index.html#tuning-your-file-io",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let files = Arc::clone(input);
        let read = move |index| {
            let files = Arc::clone(&files);
            async move { spawn_blocking(move || files.read_and_hash(index)).await? }
        };
        self.runtime.block_on(for_each(input.len(), input.in_flight(), read))
    }
}

impl Run<ReadFiles> for Misuse {
    fn how(_: &ReadFilesParams) -> How {
        How::misuse(
            "tokio::fs::File in steps of 4 KiB: a hop to the blocking pool for each of them",
            "https://docs.rs/tokio/latest/tokio/fs/index.html#tuning-your-file-io",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let files = Arc::clone(input);
        let read = move |index| {
            let files = Arc::clone(&files);
            async move { Ok(files.hash(&read_in_steps(files.path(index)).await?)) }
        };
        self.0.runtime.block_on(for_each(input.len(), input.in_flight(), read))
    }
}

/// The XOR of what `operation` returns for every file; `in_flight` tasks each take the next one.
pub(crate) async fn for_each<F>(
    files: usize,
    in_flight: usize,
    operation: impl Fn(usize) -> F + Clone + Send + 'static,
) -> io::Result<Digest>
where
    F: Future<Output = io::Result<Digest>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (next, operation) = (Arc::clone(&next), operation.clone());
        tasks.spawn(async move {
            let mut all = Digest::of_number(0);
            loop {
                let index = next.fetch_add(1, Relaxed);
                if index >= files {
                    return io::Result::Ok(all);
                }
                all = all ^ operation(index).await?;
            }
        });
    }
    let mut all = Digest::of_number(0);
    while let Some(digest) = tasks.join_next().await {
        all = all ^ digest??;
    }
    Ok(all)
}

/// Reads a file with a hop to the blocking pool for every 4 KiB, as a misuse does.
pub(crate) async fn read_in_steps(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path).await?;
    let (mut bytes, mut step) = (Vec::new(), [0; 4096]);
    loop {
        let count = file.read(&mut step).await?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&step[..count]);
    }
}
