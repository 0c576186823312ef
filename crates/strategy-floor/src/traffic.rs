//! `traffic`: the readiness loop of `serve`, in which what computes holds up everybody.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, unsupported};
use workloads::traffic::{Traffic, TrafficParams};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

impl Serve<Traffic> for Sequential {
    fn how(_: &TrafficParams) -> Option<How> {
        None
    }

    fn ready(&self, _: &Arc<Traffic>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }

    fn serve(&self, _: TcpListener, _: &Arc<Traffic>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }
}

impl Serve<Traffic> for EventLoop {
    fn how(_: &TrafficParams) -> Option<How> {
        How::floor(
            "one thread, one edge-triggered readiness loop, which what computes holds up",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn ready(&self, service: &Arc<Traffic>) -> io::Result<()> {
        if service.blocks() {
            return Err(unsupported("a blocking call would stop the only thread for everybody"));
        }
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
