//! `endpoints`: a job per request, on the pool that everybody gets or on one of forty threads.

use std::io;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;
use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::Rayon;

impl Run<Endpoints> for Rayon {
    fn how(params: &EndpointsParams) -> Option<How> {
        match params.handler {
            Handler::A => How::misuse(
                "one job per request, blocking the pool that is meant for computing",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPoolBuilder.html#method.num_threads",
            ),
            Handler::B | Handler::C => None,
            Handler::D => How::off_label(
                "one job per request on a bounded pool of threads",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPoolBuilder.html#method.num_threads",
            ),
        }
    }

    fn ready(&self, input: &Arc<Requests>) -> io::Result<()> {
        match input.handler() {
            Handler::A => Ok(()),
            Handler::B => Err(unsupported("rayon has no pool for blocking calls beside its own")),
            Handler::C => Err(unsupported("rayon has no timer to await: a job that waits blocks")),
            Handler::D => self.build_waiting(input.pool()),
        }
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        match input.handler() {
            Handler::D => job_per_request(self.waiting()?, input),
            _ => job_per_request(&self.pool, input),
        }
    }
}

fn job_per_request(pool: &ThreadPool, input: &Arc<Requests>) -> io::Result<Digest> {
    input.predict_in_flight(pool.current_num_threads());
    let responses: Vec<_> = pool.install(|| {
        (0..input.count() as usize)
            .into_par_iter()
            .with_max_len(1)
            .map(|id| input.block(id as u64))
            .collect()
    });
    Ok(input.digest(responses))
}
