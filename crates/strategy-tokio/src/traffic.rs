//! `traffic`: what waits and computes for a moment on the workers, the rest on the blocking pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{AT_ONCE_PER_WORKER, How, Serve};
use workloads::traffic::{Traffic, TrafficParams};

use crate::Tokio;
use crate::serve::Heavy;

impl Serve<Traffic> for Tokio {
    fn how(_: &TrafficParams) -> How {
        How::fair(
            "waits on tokio::time::sleep; blocking calls go to spawn_blocking, long computing too, \
             four at once for each worker",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        let at_once = AT_ONCE_PER_WORKER * self.workers();
        self.serve_http(listener, service.requests(), Heavy::OnPool { at_once })
    }
}
