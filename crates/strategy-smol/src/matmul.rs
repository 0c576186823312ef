//! `matmul`: one task per block of rows.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::{EXECUTOR, Smol};

impl Run<Matmul> for Smol {
    fn how(_: &MatmulParams) -> How {
        How::fair(
            "one spawned task per block of rows, and one that awaits them",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.blocks())
            .map(|index| {
                let input = Arc::clone(input);
                EXECUTOR.spawn(async move { input.multiply(index) })
            })
            .collect();
        // Awaited by a task: this thread would be woken for one result after the other.
        let sum = EXECUTOR.spawn(async move {
            let mut sum = 0_u64;
            for task in tasks {
                sum = sum.wrapping_add(task.await);
            }
            sum
        });
        Ok(input.digest(smol::block_on(sum)))
    }
}
