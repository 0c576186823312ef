//! `endpoints`: a task per request, with the four kinds of handler.

use std::io;
use std::sync::Arc;

use smol::lock::Semaphore;
use smol::{Timer, unblock};
use worker::{How, Run};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::{EXECUTOR, MAX_BLOCKING_THREADS, Smol};

impl Run<Endpoints> for Smol {
    fn how(params: &EndpointsParams) -> Option<How> {
        match params.handler {
            Handler::A => How::misuse(
                "thread::sleep inside an async handler: a worker waits instead of working",
                "https://docs.rs/smol/latest/smol/fn.unblock.html",
            ),
            Handler::B => How::fair(
                "thread::sleep handed to smol::unblock",
                "https://docs.rs/smol/latest/smol/fn.unblock.html",
            ),
            Handler::C => How::fair(
                "smol::Timer awaited",
                "https://docs.rs/smol/latest/smol/struct.Timer.html",
            ),
            Handler::D => How::fair(
                "smol::unblock bounded by a semaphore",
                "https://docs.rs/smol/latest/smol/lock/struct.Semaphore.html",
            ),
        }
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let permits = Arc::new(Semaphore::new(input.pool()));
        input.predict_in_flight(match input.handler() {
            Handler::A => self.workers,
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => input.pool(),
        });
        smol::block_on(async {
            let tasks: Vec<_> = (0..input.count())
                .map(|id| {
                    let (input, permits) = (Arc::clone(input), Arc::clone(&permits));
                    EXECUTOR.spawn(async move {
                        match input.handler() {
                            Handler::A => input.block(id),
                            Handler::B => unblock(move || input.block(id)).await,
                            Handler::C => {
                                let request = input.start(id);
                                Timer::after(input.wait()).await;
                                request.finish()
                            }
                            Handler::D => {
                                let _permit = permits.acquire().await;
                                unblock(move || input.block(id)).await
                            }
                        }
                    })
                })
                .collect();
            let mut responses = Vec::with_capacity(tasks.len());
            for task in tasks {
                responses.push(task.await);
            }
            Ok(input.digest(responses))
        })
    }
}
