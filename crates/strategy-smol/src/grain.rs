//! `grain`: one task per piece of work, however small.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, Yield};

use crate::{EXECUTOR, Smol};

impl Run<Grain> for Smol {
    fn how(_: &GrainParams) -> Option<How> {
        How::fair(
            "one spawned task per piece, all by spawn_many from a task that awaits them in order",
            "https://docs.rs/smol/latest/smol/struct.Executor.html#method.spawn_many",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        let all = smol::block_on(EXECUTOR.spawn(run_all(Arc::clone(input))));
        Ok(input.digest(all))
    }
}

/// A task, for waking a task that waits costs less than waking a thread.
async fn run_all(grains: Arc<Grains>) -> Yield {
    let pieces = (0..grains.tasks()).map(|id| {
        let grains = Arc::clone(&grains);
        async move { grains.run(id) }
    });
    let mut tasks = Vec::with_capacity(grains.tasks() as usize);
    EXECUTOR.spawn_many(pieces, &mut tasks);
    let mut all = Yield::default();
    for task in tasks {
        all = all + task.await;
    }
    all
}
