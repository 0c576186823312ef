//! `endpoints`: a connection per request, with the four kinds of handler.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::{Heavy, serve};
use crate::{AsyncStd, MAX_BLOCKING_THREADS};

impl Serve<Endpoints> for AsyncStd {
    fn how(params: &EndpointsParams) -> How {
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
                "https://docs.rs/async-std/latest/async_std/channel/fn.bounded.html",
            ),
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        let requests = service.requests();
        requests.predict_in_flight(match service.handler() {
            Handler::A => self.workers,
            Handler::B => MAX_BLOCKING_THREADS,
            Handler::C => usize::MAX,
            Handler::D => requests.pool(),
        });
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        serve(listener, service.requests(), Heavy::OnPool { at_once: self.workers })
    }
}
