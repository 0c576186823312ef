//! `deadline`: every operation races against a timer, and is dropped where it loses.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use smol::future::FutureExt;
use smol::{Timer, unblock};
use worker::{How, Run};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operations};

use crate::{EXECUTOR, Misuse, Smol};

impl Run<Deadline> for Smol {
    fn how(_: &DeadlineParams) -> How {
        How::fair(
            "one spawned task per operation, which ends with the operation `or` a Timer: what \
             comes second is dropped",
            "https://docs.rs/smol/latest/smol/struct.Timer.html#examples",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        let deadline = Instant::now() + input.limit();
        smol::block_on(async {
            let operations = (0..input.count()).map(|id| {
                let input = Arc::clone(input);
                async move {
                    let operation = input.start(id);
                    let done = async move {
                        Timer::after(operation.duration()).await;
                        Ok(operation.finish())
                    };
                    done.or(given_up(id, deadline)).await
                }
            });
            let mut tasks = Vec::with_capacity(input.count() as usize);
            EXECUTOR.spawn_many(operations, &mut tasks);
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
}

impl Run<Deadline> for Misuse {
    fn how(_: &DeadlineParams) -> How {
        How::misuse(
            "a time limit on unblock: dropping its task ends the waiting only, a closure that has \
             begun keeps its thread to its end (of 10,000 threads instead of 500, which a few \
             runs would use up)",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        let deadline = Instant::now() + input.limit();
        let operations: Vec<_> = (0..input.count())
            .map(|id| {
                let input = Arc::clone(input);
                let operation = unblock(move || {
                    let operation = input.start(id);
                    thread::sleep(operation.duration());
                    operation.finish()
                });
                async { Ok(operation.await) }.or(given_up(id, deadline))
            })
            .collect();
        smol::block_on(async {
            let (mut done, mut pending) = (Vec::new(), Vec::new());
            for operation in operations {
                match operation.await {
                    Ok(id) => done.push(id),
                    Err(id) => pending.push(id),
                }
            }
            Ok(input.answer(done, pending))
        })
    }
}

async fn given_up(id: u64, deadline: Instant) -> Result<u64, u64> {
    Timer::at(deadline).await;
    Err(id)
}
