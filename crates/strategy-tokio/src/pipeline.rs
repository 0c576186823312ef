//! `pipeline`: every stage is on the blocking pool.

use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Packed, Parsed, Pipeline, PipelineParams, Raw, Stages};

use crate::{Misuse, Tokio};

impl Run<Pipeline> for Tokio {
    fn how(_: &PipelineParams) -> How {
        How::fair(
            "one spawn_blocking per stage, since each computes or uses a file to its end, bounded mpsc \
             channels between them",
            "https://docs.rs/tokio/latest/tokio/sync/mpsc/index.html#communicating-between-sync-and-async-code",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        let bound = input.bound();
        run_stages(&self.runtime, input, bounded(bound), bounded(bound), bounded(bound))
    }
}

impl Run<Pipeline> for Misuse {
    fn how(_: &PipelineParams) -> How {
        How::misuse(
            "unbounded mpsc channels: what the fast stages have done piles up in memory",
            "https://tokio.rs/tokio/tutorial/channels#backpressure-and-bounded-channels",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        input.unbounded();
        run_stages(&self.0.runtime, input, unbounded(), unbounded(), unbounded())
    }
}

/// The ends of a bounded channel: sending waits for room, and receiving for a value or the end.
fn bounded<T: Send + Sync + 'static>(
    bound: usize,
) -> (impl FnMut(T) -> io::Result<()>, impl FnMut() -> Option<T>) {
    let (sender, mut receiver) = mpsc::channel(bound);
    (
        move |value| sender.blocking_send(value).map_err(io::Error::other),
        move || receiver.blocking_recv(),
    )
}

/// The ends of a channel in which there is always room.
fn unbounded<T: Send + Sync + 'static>()
-> (impl FnMut(T) -> io::Result<()>, impl FnMut() -> Option<T>) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (move |value| sender.send(value).map_err(io::Error::other), move || receiver.blocking_recv())
}

fn run_stages<A, B, C, D, E, F>(
    runtime: &Runtime,
    input: &Arc<Stages>,
    (mut to_parse, raw): (A, B),
    (mut to_compress, parsed): (C, D),
    (mut to_write, packed): (E, F),
) -> io::Result<Digest>
where
    A: FnMut(Raw) -> io::Result<()> + Send + 'static,
    B: FnMut() -> Option<Raw> + Send + 'static,
    C: FnMut(Parsed) -> io::Result<()> + Send + 'static,
    D: FnMut() -> Option<Parsed> + Send + 'static,
    E: FnMut(Packed) -> io::Result<()> + Send + 'static,
    F: FnMut() -> Option<Packed> + Send + 'static,
{
    runtime.block_on(async {
        let stages = Arc::clone(input);
        let read = spawn_blocking(move || {
            for index in 0..stages.records() {
                to_parse(stages.read(index)?)?;
            }
            io::Result::Ok(())
        });
        let stages = Arc::clone(input);
        let parse = for_each(raw, move |record| to_compress(stages.parse(record)));
        let stages = Arc::clone(input);
        let compress = for_each(parsed, move |record| to_write(stages.compress(record)));
        let stages = Arc::clone(input);
        let write = for_each(packed, move |record| stages.write(record));
        // From the end, so that of several errors the cause comes before what it led to.
        for stage in [write, compress, parse, read] {
            stage.await??;
        }
        input.digest()
    })
}

/// A stage on the blocking pool: ends when nothing more is received.
fn for_each<T>(
    mut receive: impl FnMut() -> Option<T> + Send + 'static,
    mut stage: impl FnMut(T) -> io::Result<()> + Send + 'static,
) -> JoinHandle<io::Result<()>> {
    spawn_blocking(move || {
        while let Some(record) = receive() {
            stage(record)?;
        }
        Ok(())
    })
}
