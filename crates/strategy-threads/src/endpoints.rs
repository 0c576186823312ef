//! `endpoints`: a handler in the connection's own thread, or in a bounded pool of threads.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::pool::Pool;
use crate::{Threads, serve};

impl Serve<Endpoints> for Threads {
    fn how(params: &EndpointsParams) -> How {
        match params.handler {
            Handler::A => How::fair(
                "one thread per connection, which the handler may block",
                "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
            ),
            Handler::B => {
                How::unsupported("threads have no blocking pool: every handler may block")
            }
            Handler::C => {
                How::unsupported("threads have no timer to await: a thread that waits blocks")
            }
            Handler::D => How::fair(
                "a bounded pool of threads taking handlers from a crossbeam channel",
                "https://docs.rs/crossbeam/latest/crossbeam/channel/index.html",
            ),
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        let requests = service.requests();
        serve::check(requests)?;
        match service.handler() {
            Handler::D => {
                self.pool.get_or_init(|| Pool::new(requests.pool()));
                requests.predict_in_flight(requests.pool());
            }
            _ => requests.predict_in_flight(usize::MAX),
        }
        Ok(())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        self.accept(&listener, service.requests())
    }
}
