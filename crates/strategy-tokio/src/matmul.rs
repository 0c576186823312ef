//! `matmul`: one task per block of rows.

use std::io;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::Tokio;

impl Run<Matmul> for Tokio {
    fn how(_: &MatmulParams) -> How {
        How::fair(
            "one spawned task per block of rows, handles awaited; nothing else runs here that the \
             computing could hold up",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let sum = self.runtime.block_on(self.runtime.spawn(multiply(Arc::clone(input))))??;
        Ok(input.digest(sum))
    }
}

async fn multiply(layer: Arc<Layer>) -> Result<u64, JoinError> {
    let tasks: Vec<_> = (0..layer.blocks())
        .map(|block| {
            let layer = Arc::clone(&layer);
            tokio::spawn(async move { layer.multiply(block) })
        })
        .collect();
    let mut sum = 0_u64;
    for task in tasks {
        sum = sum.wrapping_add(task.await?);
    }
    Ok(sum)
}
