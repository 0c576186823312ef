//! `matmul`: one task per block of rows.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::{EXECUTOR, Smol};

impl Run<Matmul> for Smol {
    fn how(_: &MatmulParams) -> Option<How> {
        How::fair(
            "one spawned task per block of rows, tasks awaited in order",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        smol::block_on(async {
            let tasks: Vec<_> = (0..input.blocks())
                .map(|block| {
                    let input = Arc::clone(input);
                    EXECUTOR.spawn(async move { input.multiply(block) })
                })
                .collect();
            let mut sum = 0_u64;
            for task in tasks {
                sum = sum.wrapping_add(task.await);
            }
            Ok(input.digest(sum))
        })
    }
}
