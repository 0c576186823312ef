//! `read-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use smol::unblock;
use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::{EXECUTOR, Smol};

impl Run<ReadFiles> for Smol {
    fn how(_: &ReadFilesParams) -> Option<How> {
        How::fair(
            "a bounded number of tasks, one unblock per whole file",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let next = Arc::new(AtomicUsize::new(0));
        smol::block_on(async {
            let readers: Vec<_> = (0..input.in_flight())
                .map(|_| EXECUTOR.spawn(read(Arc::clone(input), Arc::clone(&next))))
                .collect();
            let mut all = Digest::of_number(0);
            for reader in readers {
                all = all ^ reader.await?;
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
        all = all ^ unblock(move || files.read_and_hash(index)).await?;
    }
}
