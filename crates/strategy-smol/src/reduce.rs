//! `reduce`: one task per chunk of the array.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::{EXECUTOR, Smol};

impl Run<Reduce> for Smol {
    fn how(_: &ReduceParams) -> How {
        How::fair(
            "one spawned task per chunk, and one that awaits them",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.chunks())
            .map(|index| {
                let input = Arc::clone(input);
                EXECUTOR.spawn(async move { input.sum(index) })
            })
            .collect();
        // Awaited by a task: this thread would be woken for one result after the other.
        let sum = EXECUTOR.spawn(async move {
            let mut sum = 0.0;
            for task in tasks {
                sum += task.await;
            }
            sum
        });
        Ok(input.digest(smol::block_on(sum)))
    }
}
