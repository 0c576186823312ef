//! `traffic`: requests wait in their connection's thread and compute for long in the pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::traffic::{Traffic, TrafficParams};

use crate::serve::{handle, serve};
use crate::{Rayon, within_max_pool};

impl Serve<Traffic> for Rayon {
    fn how(params: &TrafficParams) -> How {
        within_max_pool(
            params.connections,
            How::off_label(
                "a pool with one thread per connection for what waits, which is not what rayon is \
                 made for, and one with a thread per worker for what computes",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.spawn",
            ),
        )
    }

    fn ready(&self, service: &Arc<Traffic>) -> io::Result<()> {
        self.build_waiting(service.requests().max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        serve(self.waiting()?, &listener, service.requests(), |requests, work| {
            handle(self, requests, work)
        })
    }
}
