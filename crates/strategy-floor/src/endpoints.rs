//! `endpoints`: the readiness loop of `serve`, blocked by every handler or with a heap of deadlines.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, unsupported};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

impl Serve<Endpoints> for Sequential {
    fn how(_: &EndpointsParams) -> Option<How> {
        None
    }

    fn ready(&self, _: &Arc<Endpoints>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }

    fn serve(&self, _: TcpListener, _: &Arc<Endpoints>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }
}

impl Serve<Endpoints> for EventLoop {
    fn how(params: &EndpointsParams) -> Option<How> {
        let link = "https://docs.rs/mio/latest/mio/struct.Poll.html";
        match params.handler {
            Handler::A => How::floor("thread::sleep inside the one readiness loop: N·d", link),
            Handler::C => How::floor("a heap of deadlines in the one readiness loop", link),
            Handler::B | Handler::D => None,
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        service.requests().predict_in_flight(match service.handler() {
            Handler::A => 1,
            Handler::C => usize::MAX,
            Handler::B | Handler::D => {
                return Err(unsupported("a readiness loop has one thread and no pool"));
            }
        });
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
