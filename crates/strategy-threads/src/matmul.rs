//! `matmul`: a thread per worker, each taking the next block by a shared counter.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::Threads;

impl Run<Matmul> for Threads {
    fn how(_: &MatmulParams) -> How {
        How::fair(
            "one scoped thread per worker, blocks of rows taken by an atomic counter",
            "https://doc.rust-lang.org/std/sync/atomic/index.html",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let next = AtomicUsize::new(0);
        let next_block = || Some(next.fetch_add(1, Relaxed)).filter(|&b| b < input.blocks());
        let multiply = || {
            let checksums = iter::from_fn(next_block).map(|block| input.multiply(block));
            checksums.fold(0, u64::wrapping_add)
        };
        let sum = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers).map(|_| scope.spawn(multiply)).collect();
            let sums = threads.into_iter().map(|t| t.join().expect("multiplying does not panic"));
            sums.fold(0, u64::wrapping_add)
        });
        Ok(input.digest(sum))
    }
}
