//! The workloads on `std::thread` and crossbeam.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;

use std::io;
use std::process::ExitCode;
use std::sync::OnceLock;

use worker::{Means, Strategy, Variant};

/// Threads started where they are needed; a pool for the one workload that asks for a bounded one.
struct Threads {
    workers: usize,
    pool: OnceLock<endpoints::Pool>,
}

impl Strategy for Threads {
    const NAME: &'static str = "threads";
    const VARIANT: &'static str = "crossbeam";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Threads { workers: means.workers, pool: OnceLock::new() })
    }
}

fn main() -> ExitCode {
    worker::main(&[Variant::of::<Threads>()])
}
