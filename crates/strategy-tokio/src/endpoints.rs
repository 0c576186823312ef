//! `endpoints`: a task per request, with the four kinds of handler.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};
use worker::{How, Run};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::{MAX_BLOCKING_THREADS, Tokio};

impl Run<Endpoints> for Tokio {
    fn how(params: &EndpointsParams) -> Option<How> {
        match params.handler {
            Handler::A => How::misuse(
                "thread::sleep inside an async handler: a worker waits instead of working",
                "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
            ),
            Handler::B => How::fair(
                "thread::sleep handed to spawn_blocking",
                "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
            ),
            Handler::C => How::fair(
                "tokio::time::sleep awaited",
                "https://docs.rs/tokio/latest/tokio/time/fn.sleep.html",
            ),
            Handler::D => How::fair(
                "spawn_blocking bounded by a semaphore",
                "https://docs.rs/tokio/latest/tokio/sync/struct.Semaphore.html",
            ),
        }
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let permits = Arc::new(Semaphore::new(input.pool()));
        input.predict_in_flight(match input.handler() {
            Handler::A => self.runtime.metrics().num_workers(),
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => input.pool(),
        });
        self.runtime.block_on(async {
            let mut tasks: Vec<JoinHandle<io::Result<u64>>> = Vec::new();
            for id in 0..input.count() {
                let (input, permits) = (Arc::clone(input), Arc::clone(&permits));
                tasks.push(tokio::spawn(async move {
                    match input.handler() {
                        Handler::A => Ok(input.block(id)),
                        Handler::B => Ok(spawn_blocking(move || input.block(id)).await?),
                        Handler::C => {
                            let request = input.start(id);
                            tokio::time::sleep(input.wait()).await;
                            Ok(request.finish())
                        }
                        Handler::D => {
                            let _permit = permits.acquire().await.map_err(io::Error::other)?;
                            Ok(spawn_blocking(move || input.block(id)).await?)
                        }
                    }
                }));
            }
            let mut results = Vec::with_capacity(tasks.len());
            for task in tasks {
                results.push(task.await??);
            }
            Ok(input.digest(results))
        })
    }
}
