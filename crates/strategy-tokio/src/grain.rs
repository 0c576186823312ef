//! `grain`: every piece of work is a task.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::task::JoinError;
use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, IN_FLIGHT, Yield};

use crate::Tokio;

impl Run<Grain> for Tokio {
    fn how(_: &GrainParams) -> How {
        How::fair(
            "one spawned task per piece, 1,000 in flight at most, handles awaited in order",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        let all = self.runtime.block_on(self.runtime.spawn(run_all(Arc::clone(input))))??;
        Ok(input.digest(all))
    }
}

async fn run_all(grains: Arc<Grains>) -> Result<Yield, JoinError> {
    let mut all = Yield::default();
    let mut tasks = VecDeque::with_capacity(IN_FLIGHT);
    for id in 0..grains.tasks() {
        if tasks.len() == IN_FLIGHT
            && let Some(oldest) = tasks.pop_front()
        {
            all = all + oldest.await?;
        }
        let grains = Arc::clone(&grains);
        tasks.push_back(tokio::spawn(async move { grains.run(id) }));
    }
    for task in tasks {
        all = all + task.await?;
    }
    Ok(all)
}
