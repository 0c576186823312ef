//! `spawn`: a task starts the others and awaits them.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::{EXECUTOR, Smol};

impl Run<Spawn> for Smol {
    fn how(_: &SpawnParams) -> How {
        How::fair(
            "all tasks by spawn_many from a task that awaits them in order",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn_many",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let sum = smol::block_on(EXECUTOR.spawn(start_and_wait(Arc::clone(input))));
        Ok(input.digest(sum))
    }
}

/// A task, for waking a task that waits costs less than waking a thread.
async fn start_and_wait(input: Arc<Tasks>) -> u64 {
    let mut sum = 0;
    for _ in 0..input.times() {
        let bodies = (0..input.n()).map(|_| {
            let input = Arc::clone(&input);
            async move { input.task() }
        });
        let mut tasks = Vec::with_capacity(input.n() as usize);
        EXECUTOR.spawn_many(bodies, &mut tasks);
        for task in tasks {
            sum += task.await;
        }
    }
    sum
}
