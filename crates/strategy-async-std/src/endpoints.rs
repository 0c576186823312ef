//! `endpoints`: a task per request, with the four kinds of handler.

use std::io;
use std::sync::Arc;

use async_std::channel;
use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::{AsyncStd, MAX_BLOCKING_THREADS};

impl Run<Endpoints> for AsyncStd {
    fn how(params: &EndpointsParams) -> Option<How> {
        match params.handler {
            Handler::A => How::misuse(
                "thread::sleep inside an async handler: a worker waits instead of working",
                "https://docs.rs/async-std/latest/async_std/task/fn.spawn_blocking.html",
            ),
            Handler::B => How::fair(
                "thread::sleep handed to spawn_blocking",
                "https://docs.rs/async-std/latest/async_std/task/fn.spawn_blocking.html",
            ),
            Handler::C => How::fair(
                "task::sleep awaited",
                "https://docs.rs/async-std/latest/async_std/task/fn.sleep.html",
            ),
            Handler::D => How::fair(
                "spawn_blocking bounded by a channel of permits",
                "https://docs.rs/async-std/latest/async_std/channel/index.html",
            ),
        }
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let (release, permits) = channel::bounded(input.pool());
        for _ in 0..input.pool() {
            release.try_send(()).expect("the channel holds that many");
        }
        input.predict_in_flight(match input.handler() {
            Handler::A => self.workers,
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => input.pool(),
        });
        task::block_on(async {
            let tasks: Vec<_> = (0..input.count())
                .map(|id| {
                    let (input, release, permits) =
                        (Arc::clone(input), release.clone(), permits.clone());
                    task::spawn(async move {
                        match input.handler() {
                            Handler::A => input.block(id),
                            Handler::B => task::spawn_blocking(move || input.block(id)).await,
                            Handler::C => {
                                let request = input.start(id);
                                task::sleep(input.wait()).await;
                                request.finish()
                            }
                            Handler::D => {
                                permits.recv().await.expect("the channel stays open");
                                let response = task::spawn_blocking(move || input.block(id)).await;
                                release.send(()).await.expect("the channel stays open");
                                response
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
