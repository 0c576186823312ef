//! `traffic`: one thread per connection, which waits, blocks and computes as its requests ask.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::traffic::{Traffic, TrafficParams};

use crate::{Threads, serve};

impl Serve<Traffic> for Threads {
    fn how(_: &TrafficParams) -> How {
        How::fair(
            "one thread per connection, which waits, blocks and computes as its requests ask",
            "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
        )
    }

    fn ready(&self, service: &Arc<Traffic>) -> io::Result<()> {
        serve::check(service.requests())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Traffic>) -> io::Result<()> {
        self.accept(&listener, service.requests())
    }
}
