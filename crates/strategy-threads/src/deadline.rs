//! `deadline`: one thread per operation, waiting on a channel whose closing interrupts it.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam::channel::{self, Receiver, RecvTimeoutError};
use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operations};

use crate::{Misuse, Threads};

impl Run<Deadline> for Threads {
    fn how(_: &DeadlineParams) -> How {
        How::fair(
            "one scoped thread per operation, which waits on a crossbeam channel until the limit \
             disconnects it",
            "https://docs.rs/crossbeam/latest/crossbeam/channel/index.html#disconnection",
        )
    }

    fn ready(&self, input: &Arc<Operations>) -> io::Result<()> {
        check_threads(input.count())
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        thread::scope(|scope| {
            let (cancel, cancelled) = channel::bounded::<Infallible>(0);
            let (sender, results) = channel::unbounded();
            for id in 0..input.count() {
                let (cancelled, sender) = (cancelled.clone(), sender.clone());
                thread::Builder::new().spawn_scoped(scope, move || {
                    let operation = input.start(id);
                    match cancelled.recv_timeout(operation.duration()) {
                        Err(RecvTimeoutError::Timeout) => sender.send(operation.finish()),
                        _ => Ok(()),
                    }
                })?;
            }
            drop(sender);
            let answer = collect(input, &results);
            drop(cancel);
            Ok(answer)
        })
    }
}

impl Run<Deadline> for Misuse {
    fn how(_: &DeadlineParams) -> How {
        How::misuse(
            "detached threads that nobody waits for after the limit: they sleep on",
            "https://doc.rust-lang.org/std/thread/struct.JoinHandle.html",
        )
    }

    fn ready(&self, input: &Arc<Operations>) -> io::Result<()> {
        check_threads(input.count())
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        let (sender, results) = channel::unbounded();
        for id in 0..input.count() {
            let (input, sender) = (Arc::clone(input), sender.clone());
            thread::Builder::new().spawn(move || {
                let operation = input.start(id);
                thread::sleep(operation.duration());
                sender.send(operation.finish())
            })?;
        }
        drop(sender);
        Ok(collect(input, &results))
    }
}

/// The answer at the limit, which begins when the last operation has been started.
fn collect(input: &Operations, results: &Receiver<u64>) -> Digest {
    let deadline = Instant::now() + input.limit();
    let mut done = HashSet::new();
    while let Ok(id) = results.recv_deadline(deadline) {
        done.insert(id);
    }
    let pending = (0..input.count()).filter(|id| !done.contains(id));
    input.answer(done.iter().copied(), pending)
}
