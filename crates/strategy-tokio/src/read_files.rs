//! `read-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::{JoinSet, spawn_blocking};
use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::Tokio;

impl Run<ReadFiles> for Tokio {
    fn how(_: &ReadFilesParams) -> Option<How> {
        How::fair(
            "a bounded number of tasks, one spawn_blocking per whole file",
            "https://docs.rs/tokio/latest/tokio/fs/index.html#tuning-your-file-io",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let next = Arc::new(AtomicUsize::new(0));
        self.runtime.block_on(async {
            let mut readers: JoinSet<_> = (0..input.in_flight())
                .map(|_| read(Arc::clone(input), Arc::clone(&next)))
                .collect();
            let mut all = Digest::of_number(0);
            while let Some(read) = readers.join_next().await {
                all = all ^ read??;
            }
            Ok(all)
        })
    }
}

async fn read(input: Arc<Files>, next: Arc<AtomicUsize>) -> io::Result<Digest> {
    let mut all = Digest::of_number(0);
    loop {
        let index = next.fetch_add(1, Relaxed);
        if index >= input.len() {
            return Ok(all);
        }
        let files = Arc::clone(&input);
        all = all ^ spawn_blocking(move || files.read_and_hash(index)).await??;
    }
}
