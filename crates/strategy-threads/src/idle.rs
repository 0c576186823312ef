//! `idle`: one thread per parked task, released by a value that is set once.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Scope};

use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::Threads;

impl Run<Idle> for Threads {
    fn how(_: &IdleParams) -> How {
        How::fair(
            "one scoped thread per task, with the usual stack, all waiting for one OnceLock",
            "https://doc.rust-lang.org/std/sync/struct.OnceLock.html#method.wait",
        )
    }

    fn ready(&self, input: &Arc<Lot>) -> io::Result<()> {
        check_threads(input.tasks() + input.active())
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        let release = OnceLock::new();
        thread::scope(|scope| {
            let parked = park_all(scope, input, &release);
            if parked.is_ok() {
                stay_active(input);
            }
            // Also after a failure: the scope waits for the threads that were started.
            release.set(()).expect("it is set here only");
            parked
        })?;
        Ok(input.digest())
    }
}

fn park_all<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    input: &'env Lot,
    release: &'env OnceLock<()>,
) -> io::Result<()> {
    for batch in input.batches() {
        let started = batch.end;
        for id in batch {
            thread::Builder::new().spawn_scoped(scope, move || {
                let state = input.park(id);
                release.wait();
                input.leave(state);
            })?;
        }
        input.observe(started)?;
    }
    Ok(())
}

fn stay_active(input: &Lot) {
    thread::scope(|scope| {
        for _ in 0..input.active() {
            scope.spawn(|| {
                for _ in 0..input.turns() {
                    input.turn();
                    thread::yield_now();
                }
            });
        }
    });
}
