//! `endpoints`: the server with the four kinds of handler.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::{Hybrid, MAX_BLOCKING_THREADS};

impl Serve<Endpoints> for Hybrid {
    fn how(params: &EndpointsParams) -> How {
        match params.handler {
            Handler::A => How::misuse(
                "thread::sleep inside an async handler: a worker waits instead of working, \
                 and tokio has only half of them here",
                "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
            ),
            Handler::B => How::fair(
                "thread::sleep handed to tokio's spawn_blocking; rayon is for computing",
                "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
            ),
            Handler::C => How::fair(
                "tokio::time::sleep awaited",
                "https://docs.rs/tokio/latest/tokio/time/fn.sleep.html",
            ),
            Handler::D => How::fair(
                "tokio's spawn_blocking bounded by a semaphore",
                "https://docs.rs/tokio/latest/tokio/sync/struct.Semaphore.html",
            ),
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        let requests = service.requests();
        requests.predict_in_flight(match service.handler() {
            Handler::A => self.io.metrics().num_workers(),
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => requests.pool().min(MAX_BLOCKING_THREADS),
        });
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        self.serve_http(listener, service.requests())
    }
}
