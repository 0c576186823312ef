//! The workloads on `std::thread` and crossbeam.

mod channel;
mod deadline;
mod echo;
mod endpoints;
mod fairness;
mod fetch;
mod gather;
mod join;
mod map;
mod mixed;
mod pipeline;
mod pool;
mod read_files;
mod ring;
mod serve;
#[cfg(test)]
mod vocabulary;
mod write_files;

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use worker::{Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::pipeline::Pipeline;

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
struct Misuse;

impl Strategy for Misuse {
    const NAME: &'static str = Threads::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(_: &Means) -> io::Result<Self> {
        Ok(Misuse)
    }
}

fn main() -> ExitCode {
    worker::main(&[
        Variant::of::<Threads>(),
        Variant::partial::<Misuse>().run::<Pipeline>().run::<Deadline>().variant(),
    ])
}
