//! The workloads on smol.

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

use std::future;
use std::io;
use std::process::ExitCode;
use std::thread;

use smol::Executor;
use worker::{Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::fairness::Fairness;
use workloads::map::Map;
use workloads::mixed::Mixed;
use workloads::pipeline::Pipeline;
use workloads::read_files::ReadFiles;
use workloads::write_files::WriteFiles;

/// Threads that `unblock` may use at most: the default of the `blocking` crate.
const MAX_BLOCKING_THREADS: usize = 500;

/// An executor of our own, as smol's documentation advises, run by as many threads as every strategy gets.
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

/// The same threads, with known mistakes in what they run, and with room for the blocking threads
/// that one of these mistakes leaves behind run after run.
struct Misuse;

impl Strategy for Misuse {
    const NAME: &'static str = Smol::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(means: &Means) -> io::Result<Self> {
        machine::set_env("BLOCKING_MAX_THREADS", "10000")?;
        Smol::build(means).map(|_| Misuse)
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
    run(&[Variant::of::<Smol>(), misuse.variant()])
}
