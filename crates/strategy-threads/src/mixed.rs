//! `mixed`: one thread per connection; the system shares the processors out among those computing.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::mixed::{Mixed, MixedParams};

use crate::{Threads, serve};

impl Serve<Mixed> for Threads {
    fn how(_: &MixedParams) -> How {
        How::fair(
            "one thread per connection, which waits and computes as its requests ask",
            "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
        )
    }

    fn ready(&self, service: &Arc<Mixed>) -> io::Result<()> {
        serve::check(service.requests())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        self.accept(&listener, service.requests())
    }
}
