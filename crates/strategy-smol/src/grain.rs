//! `grain`: one task per piece of work, however small.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, IN_FLIGHT, Yield};

use crate::{EXECUTOR, Smol};

impl Run<Grain> for Smol {
    fn how(_: &GrainParams) -> How {
        How::fair(
            "one spawned task per piece, 500 at a time by spawn_many, 1,000 in flight at most, awaited \
             in order",
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
    let mut pieces = (0..grains.tasks()).map(|id| {
        let grains = Arc::clone(&grains);
        async move { grains.run(id) }
    });
    let mut all = Yield::default();
    let mut tasks = VecDeque::with_capacity(IN_FLIGHT);
    loop {
        // Well before workers run out, and many at once, as spawn_many is meant.
        if tasks.len() <= IN_FLIGHT / 2 {
            EXECUTOR.spawn_many(pieces.by_ref().take(IN_FLIGHT / 2), &mut tasks);
        }
        match tasks.pop_front() {
            Some(oldest) => all = all + oldest.await,
            None => return all,
        }
    }
}
