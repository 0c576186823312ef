//! `mixed`: the readiness loop of `serve`, in which a heavy request holds up every connection.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, no_form};
use workloads::mixed::{Mixed, MixedParams};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

no_form!(Serve<Mixed> for Sequential: SECOND_WAITS);

impl Serve<Mixed> for EventLoop {
    fn how(_: &MixedParams) -> How {
        How::floor(
            "one thread, one edge-triggered readiness loop, which a heavy request holds up",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
