//! `gather`: one task per wait, each on the runtime's timer.

use std::io;
use std::sync::Arc;

use futures_util::future::join_all;
use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::{Misuse, Tokio};

impl Run<Gather> for Tokio {
    fn how(_: &GatherParams) -> How {
        How::fair(
            "one spawned task per wait on tokio::time::sleep, handles awaited in order",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        self.runtime.block_on(async {
            let tasks: Vec<_> =
                (0..input.n()).map(|id| tokio::spawn(wait(Arc::clone(input), id))).collect();
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await?);
            }
            Ok(input.digest(results))
        })
    }
}

impl Run<Gather> for Misuse {
    fn how(_: &GatherParams) -> How {
        How::misuse(
            "join_all over every wait in one task: they take turns on one worker",
            "https://docs.rs/tokio/latest/tokio/macro.join.html",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        let waits: Vec<_> = (0..input.n()).map(|id| wait(Arc::clone(input), id)).collect();
        let Misuse(Tokio { runtime }) = self;
        Ok(input.digest(runtime.block_on(runtime.spawn(join_all(waits)))?))
    }
}

async fn wait(input: Arc<Waits>, id: u64) -> u64 {
    let waiting = input.start(id);
    tokio::time::sleep(input.duration()).await;
    waiting.finish()
}
