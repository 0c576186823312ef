//! `reduce`: one task per chunk of the array.

use std::io;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::Tokio;

impl Run<Reduce> for Tokio {
    fn how(_: &ReduceParams) -> How {
        How::fair(
            "one spawned task per chunk, handles awaited; nothing else runs here that the computing \
             could hold up",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let sum = self.runtime.block_on(self.runtime.spawn(add_up(Arc::clone(input))))??;
        Ok(input.digest(sum))
    }
}

async fn add_up(numbers: Arc<Numbers>) -> Result<f64, JoinError> {
    let tasks: Vec<_> = (0..numbers.chunks())
        .map(|index| {
            let numbers = Arc::clone(&numbers);
            tokio::spawn(async move { numbers.sum(index) })
        })
        .collect();
    let mut sum = 0.0;
    for task in tasks {
        sum += task.await?;
    }
    Ok(sum)
}
