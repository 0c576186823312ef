//! `skewed`: one task per job.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::AsyncStd;

impl Run<Skewed> for AsyncStd {
    fn how(_: &SkewedParams) -> How {
        How::fair(
            "one spawned task per job, so that a free worker takes the next one; one more task awaits \
             them",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.len())
            .map(|index| {
                let input = Arc::clone(input);
                task::spawn(async move { input.run(index) })
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
