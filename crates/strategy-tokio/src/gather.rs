//! `gather`: one task per wait, each on the runtime's timer.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::Tokio;

impl Run<Gather> for Tokio {
    fn how(_: &GatherParams) -> Option<How> {
        How::fair(
            "one spawned task per wait on tokio::time::sleep, handles awaited in order",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        self.runtime.block_on(async {
            let tasks: Vec<_> = (0..input.n())
                .map(|id| {
                    let input = Arc::clone(input);
                    tokio::spawn(async move {
                        let waiting = input.start(id);
                        tokio::time::sleep(input.duration()).await;
                        waiting.finish()
                    })
                })
                .collect();
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await?);
            }
            Ok(input.digest(results))
        })
    }
}
