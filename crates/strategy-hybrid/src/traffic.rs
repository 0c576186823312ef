//! `traffic`: the server, with waits and blocking calls on tokio and computing on rayon.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::traffic::{Traffic, TrafficParams};

use crate::Hybrid;

impl Serve<Traffic> for Hybrid {
    fn how(_: &TrafficParams) -> How {
        How::fair(
            "waits on tokio's timer, blocking calls handed to spawn_blocking, long computing on \
             rayon's half of the workers",
            "https://ryhl.io/blog/async-what-is-blocking/",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        self.serve_http(listener, service.requests())
    }
}
