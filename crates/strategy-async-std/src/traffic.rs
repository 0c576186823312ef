//! `traffic`: what waits and computes for a moment in its task, the rest on the blocking pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{AT_ONCE_PER_WORKER, How, Serve};
use workloads::traffic::{Traffic, TrafficParams};

use crate::AsyncStd;
use crate::serve::{Heavy, serve};

impl Serve<Traffic> for AsyncStd {
    fn how(_: &TrafficParams) -> How {
        How::fair(
            "one spawned task per connection; blocking calls handed to spawn_blocking, long computing \
             too, four at once for each worker",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn_blocking.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        let at_once = AT_ONCE_PER_WORKER * self.workers;
        serve(listener, service.requests(), Heavy::OnPool { at_once })
    }
}
