//! `mixed`: the server, with light requests on tokio and heavy ones on rayon.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::mixed::{Mixed, MixedParams};

use crate::Hybrid;

impl Serve<Mixed> for Hybrid {
    fn how(_: &MixedParams) -> How {
        How::fair(
            "light requests wait on tokio's timer, heavy ones compute on rayon's half of the \
             workers",
            "https://ryhl.io/blog/async-what-is-blocking/",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        self.serve_http(listener, service.requests())
    }
}
