//! `matmul`: one task per block of rows.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::AsyncStd;

impl Run<Matmul> for AsyncStd {
    fn how(_: &MatmulParams) -> How {
        How::fair(
            "one spawned task per block of rows, and one that awaits them; nothing else runs here that \
             the computing could hold up",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.blocks())
            .map(|block| {
                let input = Arc::clone(input);
                task::spawn(async move { input.multiply(block) })
            })
            .collect();
        // Awaited on a worker: this thread would be woken for one result after the other.
        let sum = task::spawn(async move {
            let mut sum = 0_u64;
            for task in tasks {
                sum = sum.wrapping_add(task.await);
            }
            sum
        });
        Ok(input.digest(task::block_on(sum)))
    }
}
