//! `endpoints`: which handlers rayon has, and how many requests they have in flight.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::endpoints::{Endpoints, EndpointsParams, Handler};

use crate::serve::{block_in, handle, serve};
use crate::{Misuse, Rayon, within_max_pool};

impl Serve<Endpoints> for Rayon {
    fn how(params: &EndpointsParams) -> How {
        match params.handler {
            Handler::A => within_max_pool(
                params.requests,
                How::off_label(
                    "blocking in the connection's job, in a pool with a thread for each; rayon is made \
                     for computing",
                    "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.in_place_scope",
                ),
            ),
            Handler::B => How::unsupported("rayon has no pool for blocking calls beside its own"),
            Handler::C => How::unsupported("rayon has no timer to await: a job that waits blocks"),
            Handler::D => within_max_pool(
                params.requests,
                How::off_label(
                    "blocking in a job on a pool of its own with a bounded number of threads",
                    "https://docs.rs/rayon/latest/rayon/struct.ThreadPoolBuilder.html#method.num_threads",
                ),
            ),
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        let requests = service.requests();
        requests.predict_in_flight(match service.handler() {
            Handler::A => requests.max_connections(),
            _ => self.bounded(requests.pool()).current_num_threads(),
        });
        self.build_waiting(requests.max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        serve(self.waiting()?, &listener, service.requests(), |requests, work| {
            handle(self, requests, work)
        })
    }
}

impl Serve<Endpoints> for Misuse {
    fn how(params: &EndpointsParams) -> How {
        match params.handler {
            Handler::A => within_max_pool(
                params.requests,
                How::misuse(
                    "blocking in a job on the pool that is meant for computing",
                    "https://docs.rs/rayon/latest/rayon/fn.join.html#warning-about-blocking-io",
                ),
            ),
            Handler::B | Handler::C | Handler::D => {
                How::unsupported("the mistake is the one of handler a")
            }
        }
    }

    fn ready(&self, service: &Arc<Endpoints>) -> io::Result<()> {
        service.requests().predict_in_flight(self.0.pool.current_num_threads());
        self.0.build_waiting(service.requests().max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Endpoints>) -> io::Result<()> {
        serve(self.0.waiting()?, &listener, service.requests(), |requests, work| {
            block_in(&self.0.pool, requests, work)
        })
    }
}
