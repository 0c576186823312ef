//! `mixed`: the readiness loop of `serve`, in which a heavy request holds up everybody.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, unsupported};
use workloads::mixed::{Mixed, MixedParams};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

impl Serve<Mixed> for Sequential {
    fn how(_: &MixedParams) -> Option<How> {
        None
    }

    fn ready(&self, _: &Arc<Mixed>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }

    fn serve(&self, _: TcpListener, _: &Arc<Mixed>) -> io::Result<()> {
        Err(unsupported(SECOND_WAITS))
    }
}

impl Serve<Mixed> for EventLoop {
    fn how(_: &MixedParams) -> Option<How> {
        How::floor(
            "one thread, one edge-triggered readiness loop, which a heavy request holds up",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
