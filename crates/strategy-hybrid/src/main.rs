//! The workloads in which computing matters, on two pools: tokio's workers for IO, rayon's for CPU.
//!
//! Async code hands computing to rayon over the [`bridge`], as tokio's documentation says under
//! [CPU-bound tasks](https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code)
//! and Alice Ryhl in [Async: What is blocking?](https://ryhl.io/blog/async-what-is-blocking/).

mod bridge;
mod endpoints;
mod join;
mod map;
mod mixed;
mod pipeline;
mod serve;
mod traffic;
#[cfg(test)]
mod vocabulary;

use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use worker::{Means, Strategy, Variant, unsupported};
use workloads::endpoints::Endpoints;
use workloads::join::Join;
use workloads::map::Map;
use workloads::mixed::Mixed;
use workloads::pipeline::Pipeline;
use workloads::serve::Server;
use workloads::traffic::Traffic;

use crate::bridge::Cpu;

/// Threads that `spawn_blocking` may use at most: tokio's default.
const MAX_BLOCKING_THREADS: usize = 512;

/// Two pools that together have as many workers as every strategy gets.
struct Hybrid {
    io: Runtime,
    cpu: Cpu,
}

impl Strategy for Hybrid {
    const NAME: &'static str = "hybrid";
    const VARIANT: &'static str = "tokio-rayon";

    fn build(means: &Means) -> io::Result<Self> {
        if means.workers < 2 {
            return Err(unsupported("two pools need at least two workers"));
        }
        let for_io = means.workers / 2;
        let io = Builder::new_multi_thread()
            .worker_threads(for_io)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .enable_all()
            .build()?;
        Ok(Hybrid { io, cpu: Cpu::new(means.workers - for_io)? })
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    let variant = Variant::partial::<Hybrid>()
        .run::<Map>()
        .run::<Join>()
        .run::<Pipeline>()
        .serve::<Server>()
        .serve::<Endpoints>()
        .serve::<Mixed>()
        .serve::<Traffic>()
        .variant();
    run(&[variant])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_pools_share_what_is_granted() {
        for (workers, for_io, for_cpu) in [(2, 1, 1), (3, 1, 2), (4, 2, 2), (5, 2, 3)] {
            let hybrid = Hybrid::build(&Means { workers }).unwrap();
            assert_eq!(hybrid.io.metrics().num_workers(), for_io);
            assert_eq!(hybrid.cpu.threads(), for_cpu);
        }
    }

    #[test]
    fn one_worker_cannot_be_shared() {
        let refusal = Hybrid::build(&Means { workers: 1 }).err().unwrap();
        assert_eq!(refusal.kind(), io::ErrorKind::Unsupported);
    }
}
