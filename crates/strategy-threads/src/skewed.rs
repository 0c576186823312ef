//! `skewed`: a thread per worker, each taking the next job by a shared counter.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::{Misuse, Threads};

impl Run<Skewed> for Threads {
    fn how(_: &SkewedParams) -> How {
        How::fair(
            "one scoped thread per worker, whoever is free takes the next job by an atomic counter",
            "https://doc.rust-lang.org/std/sync/atomic/index.html",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let next = AtomicUsize::new(0);
        let next_job = || Some(next.fetch_add(1, Relaxed)).filter(|&job| job < input.len());
        let work = || iter::from_fn(next_job).map(|job| input.run(job)).fold(0, u64::wrapping_add);
        let sum = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers).map(|_| scope.spawn(work)).collect();
            let sums = threads.into_iter().map(|t| t.join().expect("a job does not panic"));
            sums.fold(0, u64::wrapping_add)
        });
        Ok(input.digest(sum))
    }
}

impl Run<Skewed> for Misuse {
    fn how(_: &SkewedParams) -> How {
        How::misuse(
            "as many jobs for every thread, dealt out beforehand: whoever has the large ones is \
             waited for",
            "https://doc.rust-lang.org/std/primitive.slice.html#method.chunks",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let jobs: Vec<_> = (0..input.len()).collect();
        let sum = thread::scope(|scope| {
            let threads: Vec<_> = jobs
                .chunks(jobs.len().div_ceil(self.workers))
                .map(|jobs| {
                    scope
                        .spawn(|| jobs.iter().map(|&job| input.run(job)).fold(0, u64::wrapping_add))
                })
                .collect();
            let sums = threads.into_iter().map(|t| t.join().expect("a job does not panic"));
            sums.fold(0, u64::wrapping_add)
        });
        Ok(input.digest(sum))
    }
}
