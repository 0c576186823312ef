//! `pipeline`: every stage is on the blocking pool.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Pipeline, PipelineParams, Stages};

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
        let (to_parse, mut raw) = mpsc::channel(input.bound());
        let (to_compress, mut parsed) = mpsc::channel(input.bound());
        let (to_write, mut packed) = mpsc::channel(input.bound());
        self.runtime.block_on(async {
            let stages = Arc::clone(input);
            let read = spawn_blocking(move || {
                for index in 0..stages.records() {
                    to_parse.blocking_send(stages.read(index)?).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let parse = spawn_blocking(move || {
                while let Some(record) = raw.blocking_recv() {
                    to_compress.blocking_send(stages.parse(record)).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let compress = spawn_blocking(move || {
                while let Some(record) = parsed.blocking_recv() {
                    to_write.blocking_send(stages.compress(record)).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let write = spawn_blocking(move || {
                while let Some(record) = packed.blocking_recv() {
                    stages.write(record)?;
                }
                io::Result::Ok(())
            });
            // From the end, so that of several errors the cause comes before what it led to.
            for stage in [write, compress, parse, read] {
                stage.await??;
            }
            input.digest()
        })
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
        let (to_parse, mut raw) = mpsc::unbounded_channel();
        let (to_compress, mut parsed) = mpsc::unbounded_channel();
        let (to_write, mut packed) = mpsc::unbounded_channel();
        self.0.runtime.block_on(async {
            let stages = Arc::clone(input);
            let read = spawn_blocking(move || {
                for index in 0..stages.records() {
                    to_parse.send(stages.read(index)?).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let parse = spawn_blocking(move || {
                while let Some(record) = raw.blocking_recv() {
                    to_compress.send(stages.parse(record)).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let compress = spawn_blocking(move || {
                while let Some(record) = parsed.blocking_recv() {
                    to_write.send(stages.compress(record)).map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            });
            let stages = Arc::clone(input);
            let write = spawn_blocking(move || {
                while let Some(record) = packed.blocking_recv() {
                    stages.write(record)?;
                }
                io::Result::Ok(())
            });
            for stage in [write, compress, parse, read] {
                stage.await??;
            }
            input.digest()
        })
    }
}
