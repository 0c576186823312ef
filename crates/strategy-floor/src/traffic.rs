//! `traffic`: the readiness loop of `serve`, in which what computes holds up every connection.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use load::readiness;
use worker::{How, Serve, no_form};
use workloads::traffic::{Traffic, TrafficParams};

use crate::serve::SECOND_WAITS;
use crate::{EventLoop, Sequential};

no_form!(Serve<Traffic> for Sequential: SECOND_WAITS);

impl Serve<Traffic> for EventLoop {
    fn how(params: &TrafficParams) -> How {
        if params.classes.each().iter().any(|class| class.blocking) {
            return How::unsupported("a blocking call would stop the only thread for everybody");
        }
        How::floor(
            "one thread, one edge-triggered readiness loop, which what computes holds up",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
