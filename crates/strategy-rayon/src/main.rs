//! The workloads on rayon.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;

use std::io;
use std::process::ExitCode;
use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};
use worker::os::check_threads;
use worker::{Means, Strategy, Variant};

/// A pool with as many threads as everybody gets, and for workloads that wait another one, sized to
/// the operations that wait together.
struct Rayon {
    pool: ThreadPool,
    waiting: OnceLock<ThreadPool>,
}

impl Rayon {
    /// Builds the pool for operations that wait.
    fn build_waiting(&self, threads: usize) -> io::Result<()> {
        check_threads(threads as u64)?;
        if self.waiting.get().is_none() {
            let _ = self.waiting.set(pool(threads)?);
        }
        Ok(())
    }

    fn waiting(&self) -> io::Result<&ThreadPool> {
        self.waiting.get().ok_or_else(|| io::Error::other("the pool for waiting was not built"))
    }
}

impl Strategy for Rayon {
    const NAME: &'static str = "rayon";
    const VARIANT: &'static str = "thread-pool";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Rayon { pool: pool(means.workers)?, waiting: OnceLock::new() })
    }
}

fn pool(threads: usize) -> io::Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)
}

fn main() -> ExitCode {
    worker::main(&[Variant::of::<Rayon>()])
}
