//! `endpoints`: a connection per request, with the four kinds of handler.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::{Heavy, serve};
use crate::{MAX_BLOCKING_THREADS, Smol};

impl Serve<Endpoints> for Smol {
    fn how(params: &EndpointsParams) -> How {
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
