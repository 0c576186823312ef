//! `spawn`: one thread per task.

use std::io;
use std::sync::Arc;
use std::thread;

use worker::os::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::Threads;

/// Threads started before the first is joined: far below what a system allows.
const WAVE: u64 = 1_000;

impl Run<Spawn> for Threads {
    fn how(params: &SpawnParams) -> Option<How> {
        let form = if params.n > WAVE {
            "one scoped thread per task, a thousand at a time because a system allows so few"
        } else {
            "one scoped thread per task"
        };
        How::fair(form, "https://doc.rust-lang.org/std/thread/fn.scope.html")
    }

    fn ready(&self, input: &Arc<Tasks>) -> io::Result<()> {
        check_threads(input.n().min(WAVE))
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let mut sum = 0;
        for _ in 0..input.times() {
            for start in (0..input.n()).step_by(WAVE as usize) {
                sum += run_wave(input, WAVE.min(input.n() - start))?;
            }
        }
        Ok(input.digest(sum))
    }
}

fn run_wave(input: &Tasks, tasks: u64) -> io::Result<u64> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..tasks)
            .map(|_| thread::Builder::new().spawn_scoped(scope, || input.task()))
            .collect::<io::Result<_>>()?;
        Ok(threads.into_iter().map(|t| t.join().expect("a task does not panic")).sum())
    })
}
