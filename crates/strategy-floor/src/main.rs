//! The workloads without any concurrency model: what everything else is held against.
//!
//! `sequential` does one thing at a time; `event-loop` is a readiness loop on one thread, written by
//! hand on `mio`; `bandwidth` reads memory as fast as it goes.

mod bandwidth;
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
mod timers;
mod traffic;
mod write_files;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use worker::{Means, Strategy, Variant, unsupported};
use workloads::reduce::Reduce;

use crate::bandwidth::Bandwidth;

/// Longer than this and waiting one after the other tells nothing that multiplying does not.
const PATIENCE: Duration = Duration::from_secs(2);

/// One thing at a time on the calling thread.
struct Sequential;

/// One thread that waits for many things at once.
struct EventLoop;

impl Strategy for Sequential {
    const NAME: &'static str = "floor";
    const VARIANT: &'static str = "sequential";

    fn build(_: &Means) -> io::Result<Self> {
        Ok(Sequential)
    }
}

impl Strategy for EventLoop {
    const NAME: &'static str = "floor";
    const VARIANT: &'static str = "event-loop";

    fn build(_: &Means) -> io::Result<Self> {
        Ok(EventLoop)
    }
}

fn nothing_to_wait_for<T>() -> io::Result<T> {
    Err(unsupported("a readiness loop waits for sockets and timers, and here is neither"))
}

/// Refuses to wait so often one after the other.
fn check_patience(wait: Duration, times: u64) -> io::Result<()> {
    let total = wait.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX));
    if total > PATIENCE {
        let reason = format!("one wait after the other takes N·d = {} s", total.as_secs_f64());
        return Err(unsupported(reason));
    }
    Ok(())
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    let bandwidth = Variant::partial::<Bandwidth>().run::<Reduce>().variant();
    run(&[Variant::of::<Sequential>(), Variant::of::<EventLoop>(), bandwidth])
}
