//! `deadline`: one task per operation, those that are late aborted together.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use worker::{How, Run};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operations};

use crate::{Misuse, Tokio};

impl Run<Deadline> for Tokio {
    fn how(_: &DeadlineParams) -> How {
        How::fair(
            "tasks in a JoinSet, joined under a timeout, the rest aborted and waited for",
            "https://docs.rs/tokio/latest/tokio/task/struct.JoinSet.html#method.shutdown",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for id in 0..input.count() {
                let input = Arc::clone(input);
                tasks.spawn(async move {
                    let operation = input.start(id);
                    sleep(operation.duration()).await;
                    operation.finish()
                });
            }
            let done = done_in_time(&mut tasks, input).await;
            tasks.shutdown().await;
            Ok(answer(input, done))
        })
    }
}

impl Run<Deadline> for Misuse {
    fn how(_: &DeadlineParams) -> How {
        How::misuse(
            "a timeout around spawn_blocking: what has begun there cannot be aborted and goes on",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        self.0.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for id in 0..input.count() {
                let input = Arc::clone(input);
                tasks.spawn_blocking(move || {
                    let operation = input.start(id);
                    thread::sleep(operation.duration());
                    operation.finish()
                });
            }
            let done = done_in_time(&mut tasks, input).await;
            tasks.abort_all();
            Ok(answer(input, done))
        })
    }
}

async fn done_in_time(tasks: &mut JoinSet<u64>, input: &Operations) -> HashSet<u64> {
    let mut done = HashSet::new();
    let all = async {
        while let Some(result) = tasks.join_next().await {
            done.insert(result.expect("an operation does not panic"));
        }
    };
    // Whether it was over in time is seen in what is done.
    let _ = timeout(input.limit(), all).await;
    done
}

fn answer(input: &Operations, done: HashSet<u64>) -> Digest {
    let pending: Vec<_> = (0..input.count()).filter(|id| !done.contains(id)).collect();
    input.answer(done, pending)
}
