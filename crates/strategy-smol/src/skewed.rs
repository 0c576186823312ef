//! `skewed`: one task per job.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::{EXECUTOR, Smol};

impl Run<Skewed> for Smol {
    fn how(_: &SkewedParams) -> Option<How> {
        How::fair(
            "one spawned task per job, tasks awaited in order; a thread without tasks steals some",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn_many",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        smol::block_on(async {
            let jobs = (0..input.len()).map(|index| {
                let input = Arc::clone(input);
                async move { input.run(index) }
            });
            let mut tasks = Vec::with_capacity(input.len());
            EXECUTOR.spawn_many(jobs, &mut tasks);
            let mut sum = 0_u64;
            for task in tasks {
                sum = sum.wrapping_add(task.await);
            }
            Ok(input.digest(sum))
        })
    }
}
