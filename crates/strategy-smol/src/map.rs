//! `map`: one task per chunk of blocks, results in order.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{EXECUTOR, Misuse, Smol};

impl Run<Map> for Smol {
    fn how(_: &MapParams) -> Option<How> {
        How::fair(
            "one spawned task per chunk, tasks awaited in order; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        smol::block_on(async {
            let tasks: Vec<_> = input
                .chunks()
                .map(|chunk| {
                    let input = Arc::clone(input);
                    EXECUTOR.spawn(async move { input.hash_chunk(chunk) })
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
            "one spawned task per block: each is handed over by itself, however short it is",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        smol::block_on(async {
            let tasks: Vec<_> = (0..input.len())
                .map(|index| {
                    let input = Arc::clone(input);
                    EXECUTOR.spawn(async move { input.hash(index) })
                })
                .collect();
            let mut hashes = Vec::with_capacity(input.len());
            for task in tasks {
                hashes.push(task.await);
            }
            Ok(input.digest(hashes))
        })
    }
}
