//! The workloads on async-std, which is discontinued in favour of smol (RUSTSEC-2025-0052).
//!
//! It is measured because programs still run on it, and never recommended for new work.

mod channel;
mod deadline;
mod echo;
mod endpoints;
mod fairness;
mod fetch;
mod gather;
mod grain;
mod idle;
mod join;
mod map;
mod matmul;
mod mixed;
mod pipeline;
mod read_files;
mod reduce;
mod ring;
mod serve;
mod skewed;
mod sort;
mod spawn;
mod traffic;
#[cfg(test)]
mod vocabulary;
mod write_files;

use std::io;
use std::process::ExitCode;

use worker::{Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::fairness::Fairness;
use workloads::map::Map;
use workloads::mixed::Mixed;
use workloads::pipeline::Pipeline;
use workloads::read_files::ReadFiles;
use workloads::write_files::WriteFiles;

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
        machine::set_env("ASYNC_STD_THREAD_COUNT", &means.workers.to_string())?;
        // The runtime starts with the first task.
        async_std::task::block_on(async_std::task::spawn(async {}));
        Ok(AsyncStd { workers: means.workers })
    }
}

/// The same runtime, with known mistakes in what it runs, and with room for the blocking threads
/// that one of these mistakes leaves behind run after run.
struct Misuse;

impl Strategy for Misuse {
    const NAME: &'static str = AsyncStd::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(means: &Means) -> io::Result<Self> {
        machine::set_env("BLOCKING_MAX_THREADS", "10000")?;
        AsyncStd::build(means).map(|_| Misuse)
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    let misuse = Variant::partial::<Misuse>()
        .run::<ReadFiles>()
        .run::<WriteFiles>()
        .run::<Map>()
        .run::<Pipeline>()
        .run::<Deadline>()
        .run::<Fairness>()
        .serve::<Mixed>();
    run(&[Variant::of::<AsyncStd>(), misuse.variant()])
}
