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

use worker::{How, Means, Strategy, Variant};
use workloads::deadline::Deadline;
use workloads::echo::Echo;
use workloads::endpoints::Endpoints;
use workloads::fairness::Fairness;
use workloads::fetch::Fetch;
use workloads::gather::Gather;
use workloads::mixed::Mixed;
use workloads::reduce::Reduce;
use workloads::serve::Server;
use workloads::traffic::Traffic;

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

/// The form, unless waiting so often one after the other takes too long.
fn one_by_one(wait_ms: u64, times: u64, how: How) -> How {
    let total = Duration::from_millis(wait_ms.saturating_mul(times));
    match total > PATIENCE {
        true => How::unsupported(format!(
            "one wait after the other takes N·d = {} s",
            total.as_secs_f64()
        )),
        false => how,
    }
}

#[cfg(feature = "solo")]
use solo::main as run;
#[cfg(not(feature = "solo"))]
use worker::main as run;

fn main() -> ExitCode {
    // What waits for sockets or timers; a file on disk is always ready.
    let event_loop = Variant::partial::<EventLoop>()
        .run::<Gather>()
        .run::<Fetch>()
        .run::<Deadline>()
        .run::<Fairness>()
        .serve::<Echo>()
        .serve::<Server>()
        .serve::<Endpoints>()
        .serve::<Mixed>()
        .serve::<Traffic>()
        .variant();
    let bandwidth = Variant::partial::<Bandwidth>().run::<Reduce>().variant();
    run(&[Variant::of::<Sequential>(), event_loop, bandwidth])
}
