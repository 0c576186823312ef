//! The workloads on async-std, which is discontinued in favour of smol (RUSTSEC-2025-0052).
//!
//! It is measured because programs still run on it, and never recommended for new work.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;

use std::io;
use std::process::ExitCode;

use worker::{Means, Strategy, Variant};

/// Threads that `spawn_blocking` may use at most: the default of the `blocking` crate.
const MAX_BLOCKING_THREADS: usize = 500;

/// async-std's one global runtime.
struct AsyncStd {
    workers: usize,
}

impl Strategy for AsyncStd {
    const NAME: &'static str = "async-std";
    const VARIANT: &'static str = "global";

    fn build(means: &Means) -> io::Result<Self> {
        worker::os::set_env("ASYNC_STD_THREAD_COUNT", &means.workers.to_string())?;
        // The runtime starts with the first task.
        async_std::task::block_on(async_std::task::spawn(async {}));
        Ok(AsyncStd { workers: means.workers })
    }
}

fn main() -> ExitCode {
    worker::main(&[Variant::of::<AsyncStd>()])
}
