//! `gather`: one task per wait, each on a timer.

use std::io;
use std::sync::Arc;

use smol::Timer;
use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::{EXECUTOR, Smol};

impl Run<Gather> for Smol {
    fn how(_: &GatherParams) -> How {
        How::fair(
            "one spawned task per wait on smol::Timer, tasks awaited in order",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn_many",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        smol::block_on(async {
            let waits = (0..input.n()).map(|id| {
                let input = Arc::clone(input);
                async move {
                    let waiting = input.start(id);
                    Timer::after(input.duration()).await;
                    waiting.finish()
                }
            });
            let mut tasks = Vec::with_capacity(input.n() as usize);
            EXECUTOR.spawn_many(waits, &mut tasks);
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await);
            }
            Ok(input.digest(results))
        })
    }
}
