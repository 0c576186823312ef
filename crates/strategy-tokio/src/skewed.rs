//! `skewed`: one task per job, stolen by whichever worker is free.

use std::io;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::Tokio;

impl Run<Skewed> for Tokio {
    fn how(_: &SkewedParams) -> How {
        How::fair(
            "one spawned task per job, which idle workers steal, handles awaited",
            "https://docs.rs/tokio/latest/tokio/runtime/index.html#multi-thread-scheduler",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let sum = self.runtime.block_on(self.runtime.spawn(run_all(Arc::clone(input))))??;
        Ok(input.digest(sum))
    }
}

async fn run_all(jobs: Arc<Jobs>) -> Result<u64, JoinError> {
    let tasks: Vec<_> = (0..jobs.len())
        .map(|index| {
            let jobs = Arc::clone(&jobs);
            tokio::spawn(async move { jobs.run(index) })
        })
        .collect();
    let mut sum = 0_u64;
    for task in tasks {
        sum = sum.wrapping_add(task.await?);
    }
    Ok(sum)
}
