//! The workloads without any concurrency model: what everything else is held against.
//!
//! `sequential` does one thing at a time; `event-loop` is a readiness loop on one thread, written by
//! hand on `mio`.

mod echo;
mod endpoints;
mod gather;
mod join;
mod map;
mod read_files;
mod timers;

use std::io;
use std::process::ExitCode;

use worker::{Means, Strategy, Variant, unsupported};

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

fn main() -> ExitCode {
    worker::main(&[Variant::of::<Sequential>(), Variant::of::<EventLoop>()])
}
