//! `grain`: one task per piece of work.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, Yield};

use crate::AsyncStd;

impl Run<Grain> for AsyncStd {
    fn how(_: &GrainParams) -> Option<How> {
        How::fair(
            "one spawned task per piece of work, and one that awaits them",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.tasks())
            .map(|id| {
                let input = Arc::clone(input);
                task::spawn(async move { input.run(id) })
            })
            .collect();
        // Awaited on a worker: this thread would be woken for one result after the other.
        let sum = task::spawn(async move {
            let mut sum = Yield::default();
            for task in tasks {
                sum = sum + task.await;
            }
            sum
        });
        Ok(input.digest(task::block_on(sum)))
    }
}
