//! `mixed`: light requests wait in their connection's thread, heavy ones compute in the pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::mixed::{Mixed, MixedParams};

use crate::serve::{block_in, handle, serve};
use crate::{Misuse, Rayon, within_max_pool};

impl Serve<Mixed> for Rayon {
    fn how(params: &MixedParams) -> How {
        within_max_pool(
            params.connections,
            How::off_label(
                "a pool with one thread per connection for what waits, which is not what rayon is \
                 made for, and one with a thread per worker for what computes",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.spawn",
            ),
        )
    }

    fn ready(&self, service: &Arc<Mixed>) -> io::Result<()> {
        self.build_waiting(service.requests().max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        serve(self.waiting()?, &listener, service.requests(), |requests, work| {
            handle(self, requests, work)
        })
    }
}

impl Serve<Mixed> for Misuse {
    fn how(params: &MixedParams) -> How {
        within_max_pool(
            params.connections,
            How::misuse(
                "one pool for everything: what waits keeps the threads from what computes",
                "https://docs.rs/rayon/latest/rayon/fn.join.html#warning-about-blocking-io",
            ),
        )
    }

    fn ready(&self, service: &Arc<Mixed>) -> io::Result<()> {
        self.0.build_waiting(service.requests().max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        serve(self.0.waiting()?, &listener, service.requests(), |requests, work| {
            block_in(&self.0.pool, requests, work)
        })
    }
}
