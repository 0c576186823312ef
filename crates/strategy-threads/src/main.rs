//! The workloads on `std::thread` and crossbeam.

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
mod pool;
mod read_files;
mod reduce;
mod ring;
mod serve;
mod skewed;
mod sort;
mod spawn;
mod stealing;
mod traffic;
#[cfg(test)]
mod vocabulary;
mod write_files;

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use worker::{Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::grain::Grain;
use workloads::map::Map;
use workloads::pipeline::Pipeline;
use workloads::skewed::Skewed;

/// Threads started where they are needed; a pool for the handlers that ask for a bounded one.
struct Threads {
    workers: usize,
    pool: Arc<OnceLock<pool::Pool>>,
}

impl Strategy for Threads {
    const NAME: &'static str = "threads";
    const VARIANT: &'static str = "crossbeam";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Threads { workers: means.workers, pool: Arc::default() })
    }
}

/// Known mistakes with threads.
struct Misuse {
    workers: usize,
}

impl Strategy for Misuse {
    const NAME: &'static str = Threads::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Misuse { workers: means.workers })
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    run(&[
        Variant::of::<Threads>(),
        Variant::partial::<Misuse>()
            .run::<Map>()
            .run::<Skewed>()
            .run::<Grain>()
            .run::<Pipeline>()
            .run::<Deadline>()
            .variant(),
    ])
}
