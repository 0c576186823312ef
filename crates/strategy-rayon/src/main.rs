//! The workloads on rayon.

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
use std::sync::OnceLock;

use machine::check_threads;
use rayon::{ThreadPool, ThreadPoolBuilder};
use worker::{How, Means, Strategy, Variant};
use workloads::endpoints::Endpoints;
use workloads::mixed::Mixed;

/// Threads beyond which a pool is busy with itself: a rayon thread that runs out of work looks for
/// some in the queues of all others, so the cost grows with the square. 1,000 waits cost 0.4 s of
/// CPU time, a server with 3,000 connections is ready after 45 s, and 10,000 did not finish within a minute.
const MAX_POOL: u64 = 2_000;

/// A pool with as many threads as every strategy gets, and for workloads that wait another one, sized to
/// the operations that wait together.
struct Rayon {
    pool: ThreadPool,
    waiting: OnceLock<ThreadPool>,
    bounded: OnceLock<ThreadPool>,
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

    /// The pool of a bounded size, started when the first request asks for it.
    fn bounded(&self, threads: usize) -> &ThreadPool {
        self.bounded.get_or_init(|| pool(threads).expect("so few threads can be started"))
    }
}

impl Strategy for Rayon {
    const NAME: &'static str = "rayon";
    const VARIANT: &'static str = "thread-pool";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Rayon { pool: pool(means.workers)?, waiting: OnceLock::new(), bounded: OnceLock::new() })
    }
}

/// Known mistakes: waiting in the pool that is meant for computing.
struct Misuse(Rayon);

impl Strategy for Misuse {
    const NAME: &'static str = Rayon::NAME;
    const VARIANT: &'static str = "misuse";

    fn build(means: &Means) -> io::Result<Self> {
        Rayon::build(means).map(Misuse)
    }
}

fn pool(threads: usize) -> io::Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)
}

/// The form, unless a pool of so many threads is too large.
fn within_max_pool(threads: u64, how: How) -> How {
    match threads > MAX_POOL {
        true => How::unsupported(format!(
            "a pool of {threads} threads: idle rayon threads search each other's queues, which \
             beyond {MAX_POOL} takes most of a minute and more"
        )),
        false => how,
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    let misuse = Variant::partial::<Misuse>().serve::<Endpoints>().serve::<Mixed>().variant();
    run(&[Variant::of::<Rayon>(), misuse])
}
