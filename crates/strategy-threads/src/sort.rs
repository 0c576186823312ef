//! `sort`: a thread per worker with a work-stealing deque of slices each.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crossbeam::deque::{Injector, Worker};
use crossbeam::utils::Backoff;
use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Sort, SortParams};

use crate::Threads;
use crate::stealing::find_task;

impl Run<Sort> for Threads {
    fn how(_: &SortParams) -> How {
        How::fair(
            "one scoped thread per worker with a crossbeam deque of mutable slices each, idle ones \
             steal",
            "https://docs.rs/crossbeam/latest/crossbeam/deque/index.html",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        sort(input, &mut input.take()?, self.workers);
        input.digest()
    }
}

fn sort(input: &Keys, keys: &mut [u64], workers: usize) {
    let injector = Injector::new();
    injector.push(keys);
    let deques: Vec<_> = (0..workers).map(|_| Worker::new_lifo()).collect();
    let stealers: Vec<_> = deques.iter().map(Worker::stealer).collect();
    // Parts that have been forked and not yet sorted; none left means that all is done.
    let pending = AtomicUsize::new(1);
    let work = |local: Worker<_>| {
        let backoff = Backoff::new();
        while pending.load(SeqCst) > 0 {
            let Some(mut part) = find_task(&local, &injector, &stealers) else {
                backoff.snooze();
                continue;
            };
            backoff.reset();
            while let Some(middle) = input.split(part) {
                let (left, right) = part.split_at_mut(middle);
                pending.fetch_add(1, SeqCst);
                local.push(right);
                part = left;
            }
            input.sort(part);
            pending.fetch_sub(1, SeqCst);
        }
    };
    thread::scope(|scope| {
        for local in deques {
            scope.spawn(|| work(local));
        }
    });
}
