//! `gather`: one task per wait, each on the runtime's timer.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::AsyncStd;

impl Run<Gather> for AsyncStd {
    fn how(_: &GatherParams) -> How {
        How::fair(
            "one spawned task per wait on task::sleep, handles awaited in order",
            "https://docs.rs/async-std/latest/async_std/task/fn.sleep.html",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        task::block_on(async {
            let tasks: Vec<_> = (0..input.n())
                .map(|id| {
                    let input = Arc::clone(input);
                    task::spawn(async move {
                        let waiting = input.start(id);
                        task::sleep(input.duration()).await;
                        waiting.finish()
                    })
                })
                .collect();
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await);
            }
            Ok(input.digest(results))
        })
    }
}
