//! `fairness`: one thread per hog and per ticker; the system takes the processor from a hog.

use std::io;
use std::sync::{Arc, Barrier};
use std::thread;

use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::Threads;

impl Run<Fairness> for Threads {
    fn how(_: &FairnessParams) -> How {
        How::fair(
            "one scoped thread per hog, which yields between slices and is preempted anyway, and \
             one per ticker, all ticking at once",
            "https://doc.rust-lang.org/std/thread/fn.yield_now.html",
        )
    }

    fn ready(&self, input: &Arc<Tickers>) -> io::Result<()> {
        check_threads(input.hogs() as u64 + input.tickers())
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        // It takes so long to start the threads that without this the first tickers would have
        // finished before the last ones begin, and only a part would tick at a time.
        let all_started = &Barrier::new(input.tickers() as usize);
        thread::scope(|scope| {
            for _ in 0..input.hogs() {
                scope.spawn(|| {
                    while input.hog() {
                        thread::yield_now();
                    }
                });
            }
            for id in 0..input.tickers() {
                scope.spawn(move || {
                    all_started.wait();
                    let mut ticker = input.ticker(id);
                    loop {
                        thread::sleep(input.period());
                        if !ticker.tick() {
                            break;
                        }
                    }
                });
            }
        });
        Ok(input.digest())
    }
}
