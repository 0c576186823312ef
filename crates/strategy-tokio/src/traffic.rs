//! `traffic`: what waits and computes for a moment on the workers, the rest on the blocking pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::request::Dispatch;
use workloads::traffic::{Traffic, TrafficParams};

use crate::Tokio;

impl Serve<Traffic> for Tokio {
    fn how(_: &TrafficParams) -> Option<How> {
        How::fair(
            "waits on tokio::time::sleep; blocking calls go to spawn_blocking, long computing too, as \
             much at once as there are workers",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        self.serve_http(listener, service.requests(), Dispatch::Auto)
    }
}
