//! The workloads on tokio's multi-threaded runtime.

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

use tokio::runtime::{Builder, Runtime};
use worker::{Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::fairness::Fairness;
use workloads::gather::Gather;
use workloads::map::Map;
use workloads::mixed::Mixed;
use workloads::pipeline::Pipeline;
use workloads::read_files::ReadFiles;
use workloads::write_files::WriteFiles;

/// Threads that `spawn_blocking` may use at most: tokio's default.
const MAX_BLOCKING_THREADS: usize = 512;

/// A multi-threaded runtime with as many workers as every strategy gets.
struct Tokio {
    runtime: Runtime,
}

impl Tokio {
    fn new(means: &Means, max_blocking_threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(means.workers)
            .max_blocking_threads(max_blocking_threads)
            .enable_all()
            .build()?;
        Ok(Tokio { runtime })
    }
}

impl Strategy for Tokio {
    const NAME: &'static str = "tokio";
    const VARIANT: &'static str = "multi-thread";

    fn build(means: &Means) -> io::Result<Self> {
        Tokio::new(means, MAX_BLOCKING_THREADS)
    }
}

/// The same runtime, used as its documentation warns against.
struct Misuse(Tokio);

impl Strategy for Misuse {
    const NAME: &'static str = Tokio::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(means: &Means) -> io::Result<Self> {
        // Room for what goes on running from one run of `deadline` to the next.
        Tokio::new(means, 16 * MAX_BLOCKING_THREADS).map(Misuse)
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    let misuse = Variant::partial::<Misuse>()
        .run::<Gather>()
        .run::<ReadFiles>()
        .run::<WriteFiles>()
        .run::<Map>()
        .run::<Pipeline>()
        .run::<Deadline>()
        .run::<Fairness>()
        .serve::<Mixed>()
        .variant();
    run(&[Variant::of::<Tokio>(), misuse])
}
