//! `map`: one task per chunk of blocks, results in order.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{Misuse, Tokio};

impl Run<Map> for Tokio {
    fn how(_: &MapParams) -> How {
        How::fair(
            "one spawned task per chunk, handles awaited in order; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let hashes = self
            .runtime
            .block_on(self.runtime.spawn(hash_all(Arc::clone(input), input.chunks())))??;
        Ok(input.digest(hashes))
    }
}

impl Run<Map> for Misuse {
    fn how(_: &MapParams) -> How {
        How::misuse(
            "one spawned task per block: what a task costs is paid for each of them",
            "https://docs.rs/tokio/latest/tokio/task/index.html#what-are-tasks",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let blocks = (0..input.len()).map(|index| index..index + 1);
        let hashes = self
            .0
            .runtime
            .block_on(self.0.runtime.spawn(hash_all(Arc::clone(input), blocks)))??;
        Ok(input.digest(hashes))
    }
}

/// A task itself: a thread that awaits the others would be woken for one result after the other.
async fn hash_all(
    blocks: Arc<Blocks>,
    pieces: impl Iterator<Item = Range<usize>>,
) -> Result<Vec<u64>, JoinError> {
    let tasks: Vec<_> = pieces
        .map(|piece| {
            let blocks = Arc::clone(&blocks);
            tokio::spawn(async move { blocks.hash_chunk(piece) })
        })
        .collect();
    let mut hashes = Vec::with_capacity(blocks.len());
    for task in tasks {
        hashes.extend(task.await?);
    }
    Ok(hashes)
}
