//! The workloads on tokio's multi-threaded runtime.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;

use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use worker::{Means, Strategy, Variant};

/// Threads that `spawn_blocking` may use at most: tokio's default.
const MAX_BLOCKING_THREADS: usize = 512;

/// A multi-threaded runtime with as many workers as everybody gets.
struct Tokio {
    runtime: Runtime,
}

impl Strategy for Tokio {
    const NAME: &'static str = "tokio";
    const VARIANT: &'static str = "multi-thread";

    fn build(means: &Means) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(means.workers)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .enable_all()
            .build()?;
        Ok(Tokio { runtime })
    }
}

fn main() -> ExitCode {
    worker::main(&[Variant::of::<Tokio>()])
}
