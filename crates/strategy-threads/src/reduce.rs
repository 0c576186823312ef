//! `reduce`: a thread per worker, each taking the next chunk by a shared counter.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::Threads;

impl Run<Reduce> for Threads {
    fn how(_: &ReduceParams) -> How {
        How::fair(
            "one scoped thread per worker, chunks taken by an atomic counter",
            "https://doc.rust-lang.org/std/sync/atomic/index.html",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let next = AtomicUsize::new(0);
        let next_chunk = || Some(next.fetch_add(1, Relaxed)).filter(|&c| c < input.chunks());
        let add_up = || iter::from_fn(next_chunk).map(|chunk| input.sum(chunk)).sum::<f64>();
        let sum = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers).map(|_| scope.spawn(add_up)).collect();
            threads.into_iter().map(|t| t.join().expect("adding does not panic")).sum()
        });
        Ok(input.digest(sum))
    }
}
