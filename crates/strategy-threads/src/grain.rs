//! `grain`: work-stealing deques of ids, one for each worker.

use std::collections::VecDeque;
use std::io;
use std::iter;
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam::deque::{Steal, Stealer, Worker};
use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, Yield};

use crate::{Misuse, Threads};

impl Run<Grain> for Threads {
    fn how(_: &GrainParams) -> How {
        How::fair(
            "tasks pushed into the crossbeam deque of one worker, a scoped thread each; whoever is \
             idle steals a batch",
            "https://docs.rs/crossbeam/latest/crossbeam/deque/index.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        // First in, first out: from such a deque a batch is stolen in one step.
        let deques: Vec<_> = (0..self.workers).map(|_| Worker::new_fifo()).collect();
        let stealers: Vec<_> = deques.iter().map(Worker::stealer).collect();
        for id in 0..input.tasks() {
            deques[0].push(id);
        }
        let work = |local: Worker<u64>| -> Yield {
            iter::from_fn(|| next_task(&local, &stealers)).map(|id| input.run(id)).sum()
        };
        let all = thread::scope(|scope| {
            let threads: Vec<_> =
                deques.into_iter().map(|local| scope.spawn(|| work(local))).collect();
            threads.into_iter().map(|t| t.join().expect("a task does not panic")).sum()
        });
        Ok(input.digest(all))
    }
}

/// None when all deques are empty: no task starts others, so that none will come.
fn next_task(local: &Worker<u64>, stealers: &[Stealer<u64>]) -> Option<u64> {
    let steal = || stealers.iter().map(|other| other.steal_batch_and_pop(local)).collect();
    local
        .pop()
        .or_else(|| iter::repeat_with(steal).find(|steal: &Steal<_>| !steal.is_retry())?.success())
}

impl Run<Grain> for Misuse {
    fn how(_: &GrainParams) -> How {
        How::misuse(
            "one queue behind a mutex: every thread waits for the others at every task",
            "https://docs.rs/crossbeam/latest/crossbeam/deque/index.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        let queue = Mutex::new(VecDeque::new());
        let lock = || queue.lock().expect("no thread panics");
        for id in 0..input.tasks() {
            lock().push_back(id);
        }
        let next_task = || lock().pop_front();
        let work = || -> Yield { iter::from_fn(next_task).map(|id| input.run(id)).sum() };
        let all = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|t| t.join().expect("a task does not panic")).sum()
        });
        Ok(input.digest(all))
    }
}
