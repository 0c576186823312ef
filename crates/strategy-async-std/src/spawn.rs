//! `spawn`: start tasks that do nothing and await their handles.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::AsyncStd;

impl Run<Spawn> for AsyncStd {
    fn how(_: &SpawnParams) -> How {
        How::fair(
            "task::spawn by a task on the runtime, handles awaited in order",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        // This thread would have to be woken each time that all have ended.
        let root = task::spawn(spawn_all(Arc::clone(input)));
        Ok(input.digest(task::block_on(root)))
    }
}

async fn spawn_all(input: Arc<Tasks>) -> u64 {
    let mut sum = 0;
    for _ in 0..input.times() {
        let tasks: Vec<_> = (0..input.n())
            .map(|_| {
                let input = Arc::clone(&input);
                task::spawn(async move { input.task() })
            })
            .collect();
        for task in tasks {
            sum += task.await;
        }
    }
    sum
}
