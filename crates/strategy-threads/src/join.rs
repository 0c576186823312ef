//! `join`: a thread per worker with a work-stealing deque each.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crossbeam::deque::{Injector, Worker};
use crossbeam::utils::Backoff;
use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::Threads;
use crate::stealing::find_task;

impl Run<Join> for Threads {
    fn how(params: &JoinParams) -> How {
        let link = "https://docs.rs/crossbeam/latest/crossbeam/deque/index.html";
        if !params.has_cutoff() {
            return How::misuse("crossbeam deques with no cut-off: every queen is a task", link);
        }
        How::fair("one scoped thread per worker with a crossbeam deque each, idle ones steal", link)
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        let injector = Injector::new();
        injector.push(input.empty_board());
        let deques: Vec<_> = (0..self.workers).map(|_| Worker::new_lifo()).collect();
        let stealers: Vec<_> = deques.iter().map(Worker::stealer).collect();
        // Boards that have been forked and not yet counted; none left means that all is done.
        let pending = AtomicUsize::new(1);
        let count = |local: Worker<Board>| {
            let mut solutions = 0;
            let backoff = Backoff::new();
            while pending.load(SeqCst) > 0 {
                let Some(board) = find_task(&local, &injector, &stealers) else {
                    backoff.snooze();
                    continue;
                };
                backoff.reset();
                if input.forks(&board) {
                    for next in input.next_boards(board) {
                        pending.fetch_add(1, SeqCst);
                        local.push(next);
                    }
                } else {
                    solutions += input.solve(board);
                }
                pending.fetch_sub(1, SeqCst);
            }
            solutions
        };
        let solutions: u64 = thread::scope(|scope| {
            let threads: Vec<_> =
                deques.into_iter().map(|local| scope.spawn(|| count(local))).collect();
            threads.into_iter().map(|t| t.join().expect("counting does not panic")).sum()
        });
        Ok(input.digest(solutions))
    }
}
