//! `map`: one task per chunk of blocks, results in order.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{AsyncStd, Misuse};

impl Run<Map> for AsyncStd {
    fn how(_: &MapParams) -> How {
        How::fair(
            "one spawned task per chunk, handles awaited in order; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let hashes = task::block_on(task::spawn(hash_all(Arc::clone(input), input.chunks())));
        Ok(input.digest(hashes))
    }
}

impl Run<Map> for Misuse {
    fn how(_: &MapParams) -> How {
        How::misuse(
            "one spawned task per block: each is handed over and awaited by itself",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let blocks = (0..input.len()).map(|index| index..index + 1);
        let hashes = task::block_on(task::spawn(hash_all(Arc::clone(input), blocks)));
        Ok(input.digest(hashes))
    }
}

/// A task itself: a thread that awaits the others would be woken for one result after the other.
async fn hash_all(blocks: Arc<Blocks>, pieces: impl Iterator<Item = Range<usize>>) -> Vec<u64> {
    let tasks: Vec<_> = pieces
        .map(|piece| {
            let blocks = Arc::clone(&blocks);
            task::spawn(async move { blocks.hash_chunk(piece) })
        })
        .collect();
    let mut hashes = Vec::with_capacity(blocks.len());
    for task in tasks {
        hashes.extend(task.await);
    }
    hashes
}
