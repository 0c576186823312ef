//! `map`: one task per chunk of blocks, results in order.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{Misuse, Tokio};

impl Run<Map> for Tokio {
    fn how(_: &MapParams) -> Option<How> {
        How::fair(
            "one spawned task per chunk, handles awaited in order; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        self.runtime.block_on(async {
            let tasks: Vec<_> = input
                .chunks()
                .map(|chunk| {
                    let input = Arc::clone(input);
                    tokio::spawn(async move { input.hash_chunk(chunk) })
                })
                .collect();
            let mut hashes = Vec::with_capacity(input.len());
            for task in tasks {
                hashes.extend(task.await?);
            }
            Ok(input.digest(hashes))
        })
    }
}

impl Run<Map> for Misuse {
    fn how(_: &MapParams) -> Option<How> {
        How::misuse(
            "one spawned task per block: what a task costs is paid for each of them",
            "https://docs.rs/tokio/latest/tokio/task/index.html#what-are-tasks",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        self.0.runtime.block_on(async {
            let tasks: Vec<_> = (0..input.len())
                .map(|index| {
                    let input = Arc::clone(input);
                    tokio::spawn(async move { input.hash(index) })
                })
                .collect();
            let mut hashes = Vec::with_capacity(input.len());
            for task in tasks {
                hashes.push(task.await?);
            }
            Ok(input.digest(hashes))
        })
    }
}
