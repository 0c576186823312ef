//! `skewed`: one task per job.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::{EXECUTOR, Smol};

impl Run<Skewed> for Smol {
    fn how(_: &SkewedParams) -> How {
        How::fair(
            "one spawned task per job, of which a thread without any steals some; one more task awaits \
             them",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.len())
            .map(|index| {
                let input = Arc::clone(input);
                EXECUTOR.spawn(async move { input.run(index) })
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
