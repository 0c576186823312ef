//! `spawn`: tasks that do nothing, spawned and awaited.

use std::io;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::Tokio;

impl Run<Spawn> for Tokio {
    fn how(_: &SpawnParams) -> How {
        How::fair(
            "tokio::spawn within a task, handles awaited in order",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let sum = self.runtime.block_on(self.runtime.spawn(spawn_all(Arc::clone(input))))??;
        Ok(input.digest(sum))
    }
}

async fn spawn_all(input: Arc<Tasks>) -> Result<u64, JoinError> {
    let mut sum = 0;
    for _ in 0..input.times() {
        let tasks: Vec<_> = (0..input.n())
            .map(|_| {
                let input = Arc::clone(&input);
                tokio::spawn(async move { input.task() })
            })
            .collect();
        for task in tasks {
            sum += task.await?;
        }
    }
    Ok(sum)
}
