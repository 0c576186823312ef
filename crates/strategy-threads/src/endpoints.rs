//! `endpoints`: a thread per request, or a pool of threads behind a channel.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam::channel::{self, Sender};
use worker::os::check_threads;
use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::Threads;

type Job = Box<dyn FnOnce() + Send>;

/// A bounded pool; its threads end with the process.
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    fn new(threads: usize) -> io::Result<Self> {
        let (jobs, queue) = channel::unbounded::<Job>();
        for _ in 0..threads {
            let queue = queue.clone();
            thread::Builder::new().spawn(move || queue.iter().for_each(|job| job()))?;
        }
        Ok(Pool { jobs })
    }
}

impl Run<Endpoints> for Threads {
    fn how(params: &EndpointsParams) -> Option<How> {
        match params.handler {
            Handler::A => How::fair(
                "one scoped thread per request",
                "https://doc.rust-lang.org/std/thread/fn.scope.html",
            ),
            Handler::B | Handler::C => None,
            Handler::D => How::fair(
                "a bounded pool of threads taking jobs from a crossbeam channel",
                "https://docs.rs/crossbeam/latest/crossbeam/channel/index.html",
            ),
        }
    }

    fn ready(&self, input: &Arc<Requests>) -> io::Result<()> {
        match input.handler() {
            Handler::A => check_threads(input.count()),
            Handler::B => {
                Err(unsupported("threads have no blocking pool: every handler may block"))
            }
            Handler::C => {
                Err(unsupported("threads have no timer to await: a thread that waits blocks"))
            }
            Handler::D => {
                check_threads(input.pool() as u64)?;
                self.pool.get_or_init(|| {
                    Pool::new(input.pool()).expect("the threads were checked to fit")
                });
                Ok(())
            }
        }
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        match self.pool.get() {
            Some(pool) => in_pool(pool, input),
            None => thread_per_request(input),
        }
    }
}

fn thread_per_request(input: &Arc<Requests>) -> io::Result<Digest> {
    input.predict_in_flight(usize::MAX);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..input.count())
            .map(|id| thread::Builder::new().spawn_scoped(scope, move || input.block(id)))
            .collect::<io::Result<_>>()?;
        let results = threads.into_iter().map(|t| t.join().expect("a request does not panic"));
        Ok(input.digest(results))
    })
}

fn in_pool(pool: &Pool, input: &Arc<Requests>) -> io::Result<Digest> {
    input.predict_in_flight(input.pool());
    let (sender, responses) = channel::unbounded();
    for id in 0..input.count() {
        let (input, sender) = (Arc::clone(input), sender.clone());
        let job = move || sender.send((id, input.block(id))).expect("the receiver lives");
        pool.jobs.send(Box::new(job)).map_err(|_| io::Error::other("the pool has ended"))?;
    }
    drop(sender);
    let mut responses: Vec<_> = responses.iter().collect();
    responses.sort_unstable();
    Ok(input.digest(responses.into_iter().map(|(_, response)| response)))
}
