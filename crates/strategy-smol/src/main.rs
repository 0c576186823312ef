//! The workloads on smol.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;

use std::future;
use std::io;
use std::process::ExitCode;
use std::thread;

use smol::Executor;
use worker::{Means, Strategy, Variant};

/// Threads that `unblock` may use at most: the default of the `blocking` crate.
const MAX_BLOCKING_THREADS: usize = 500;

/// An executor of our own, as smol's documentation advises, run by as many threads as everybody gets.
static EXECUTOR: Executor<'static> = Executor::new();

/// The threads that run the executor.
struct Smol {
    workers: usize,
}

impl Strategy for Smol {
    const NAME: &'static str = "smol";
    const VARIANT: &'static str = "executor";

    fn build(means: &Means) -> io::Result<Self> {
        for number in 1..=means.workers {
            thread::Builder::new()
                .name(format!("smol-{number}"))
                .spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())))?;
        }
        Ok(Smol { workers: means.workers })
    }
}

fn main() -> ExitCode {
    worker::main(&[Variant::of::<Smol>()])
}
