//! `spawn`: one thread per task.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::Threads;

impl Run<Spawn> for Threads {
    fn how(_: &SpawnParams) -> How {
        How::fair(
            "one scoped thread per task, all waited for by the scope, results added up atomically",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let sum = AtomicU64::new(0);
        for _ in 0..input.times() {
            thread::scope(|scope| {
                (0..input.n()).try_for_each(|_| {
                    let task = || sum.fetch_add(input.task(), Relaxed);
                    // The stack of a thread that ends without a handle serves the next one. Those of a
                    // hundred thousand that wait to be joined would be more than a system gives.
                    thread::Builder::new().spawn_scoped(scope, task).map(drop)
                })
            })?;
        }
        Ok(input.digest(sum.into_inner()))
    }
}
