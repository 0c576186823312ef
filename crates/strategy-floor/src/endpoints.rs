//! `endpoints`: the readiness loop of `serve`, blocked by every handler or with a heap of deadlines.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, no_form};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

no_form!(Serve<Endpoints> for Sequential: SECOND_WAITS);

impl Serve<Endpoints> for EventLoop {
    fn how(params: &EndpointsParams) -> How {
        let link = "https://docs.rs/mio/latest/mio/struct.Poll.html";
        match params.handler {
            Handler::A => How::floor("thread::sleep inside the one readiness loop: N·d", link),
            Handler::C => How::floor("a heap of deadlines in the one readiness loop", link),
            Handler::B | Handler::D => {
                How::unsupported("a readiness loop has one thread and no pool")
            }
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        service.requests().predict_in_flight(match service.handler() {
            Handler::A => 1,
            _ => usize::MAX,
        });
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
