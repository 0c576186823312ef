//! `reduce`: one part of the array per thread.

use std::io;
use std::sync::Arc;
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::Threads;

impl Run<Reduce> for Threads {
    fn how(_: &ReduceParams) -> Option<How> {
        How::fair(
            "one scoped thread per worker, an equal part of the array each",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let sum = thread::scope(|scope| {
            let threads: Vec<_> =
                input.parts(self.workers).map(|part| scope.spawn(|| input.sum_of(part))).collect();
            threads.into_iter().map(|t| t.join().expect("adding does not panic")).sum()
        });
        Ok(input.digest(sum))
    }
}
