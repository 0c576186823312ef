//! `deadline`: every operation has a time-out, which drops it.

use std::io;
use std::sync::Arc;
use std::thread;

use async_std::future;
use async_std::task::{self, JoinHandle};
use worker::{How, Run};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operations};

use crate::{AsyncStd, Misuse};

impl Run<Deadline> for AsyncStd {
    fn how(_: &DeadlineParams) -> How {
        How::fair(
            "one spawned task per operation under future::timeout, which drops what is too slow",
            "https://docs.rs/async-std/latest/async_std/future/fn.timeout.html",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        run(input, |id| {
            let input = Arc::clone(input);
            task::spawn(async move {
                let operation = input.start(id);
                let done = async move {
                    task::sleep(operation.duration()).await;
                    operation.finish()
                };
                future::timeout(input.limit(), done).await.map_err(|_| id)
            })
        })
    }
}

impl Run<Deadline> for Misuse {
    fn how(_: &DeadlineParams) -> How {
        How::misuse(
            "future::timeout on spawn_blocking: dropping the handle ends the waiting only, the \
             closure keeps its thread to its end (of 10,000 threads instead of 500, which a few \
             runs would use up)",
            "https://docs.rs/async-std/latest/async_std/task/struct.JoinHandle.html",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        run(input, |id| {
            let operations = Arc::clone(input);
            let blocking = task::spawn_blocking(move || {
                let operation = operations.start(id);
                thread::sleep(operation.duration());
                operation.finish()
            });
            let limit = input.limit();
            task::spawn(async move { future::timeout(limit, blocking).await.map_err(|_| id) })
        })
    }
}

/// Starts all operations and parts those that were done from those that were given up.
fn run(
    input: &Operations,
    start: impl FnMut(u64) -> JoinHandle<Result<u64, u64>>,
) -> io::Result<Digest> {
    let tasks: Vec<_> = (0..input.count()).map(start).collect();
    task::block_on(async {
        let (mut done, mut pending) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await {
                Ok(id) => done.push(id),
                Err(id) => pending.push(id),
            }
        }
        Ok(input.answer(done, pending))
    })
}
