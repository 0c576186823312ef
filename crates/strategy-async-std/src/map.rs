//! `map`: one task per chunk of blocks, results in order.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{AsyncStd, Misuse};

impl Run<Map> for AsyncStd {
    fn how(_: &MapParams) -> Option<How> {
        How::fair(
            "one spawned task per chunk, handles awaited in order; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        task::block_on(async {
            let tasks: Vec<_> = input
                .chunks()
                .map(|chunk| {
                    let input = Arc::clone(input);
                    task::spawn(async move { input.hash_chunk(chunk) })
                })
                .collect();
            let mut hashes = Vec::with_capacity(input.len());
            for task in tasks {
                hashes.extend(task.await);
            }
            Ok(input.digest(hashes))
        })
    }
}

impl Run<Map> for Misuse {
    fn how(_: &MapParams) -> Option<How> {
        How::misuse(
            "one spawned task per block: each is handed over and awaited by itself",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        task::block_on(async {
            let tasks: Vec<_> = (0..input.len())
                .map(|index| {
                    let input = Arc::clone(input);
                    task::spawn(async move { input.hash(index) })
                })
                .collect();
            let mut hashes = Vec::with_capacity(tasks.len());
            for task in tasks {
                hashes.push(task.await);
            }
            Ok(input.digest(hashes))
        })
    }
}
