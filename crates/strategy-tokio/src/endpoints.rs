//! `endpoints`: the four kinds of handler, each in the task of its connection.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::Heavy;
use crate::{MAX_BLOCKING_THREADS, Tokio};

impl Serve<Endpoints> for Tokio {
    fn how(params: &EndpointsParams) -> How {
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

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        service.requests().predict_in_flight(match service.handler() {
            Handler::A => self.runtime.metrics().num_workers(),
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => service.requests().pool(),
        });
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        self.serve_http(listener, service.requests(), Heavy::OnPool { at_once: self.workers() })
    }
}
