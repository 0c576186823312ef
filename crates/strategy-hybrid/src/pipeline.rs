//! `pipeline`: a blocking thread for each file, a task for each stage that computes, on rayon.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Packed, Pipeline, PipelineParams, Raw, Stages};

use crate::Hybrid;
use crate::bridge::Cpu;

impl Run<Pipeline> for Hybrid {
    fn how(_: &PipelineParams) -> How {
        How::fair(
            "read and write in spawn_blocking, parse and compress as tasks that hand each \
             record to rayon and await it, bounded tokio channels between them",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        let (to_parse, raw) = channel(input.bound());
        let (to_compress, parsed) = channel(input.bound());
        let (to_write, packed) = channel(input.bound());
        self.io.block_on(async {
            let (first, last) = (Arc::clone(input), Arc::clone(input));
            let stages = || (Arc::clone(input), self.cpu.clone());
            let read = spawn_blocking(move || read(&first, &to_parse));
            let parse = tokio::spawn(compute(stages(), Stages::parse, raw, to_compress));
            let compress = tokio::spawn(compute(stages(), Stages::compress, parsed, to_write));
            let write = spawn_blocking(move || write(&last, packed));
            read.await??;
            parse.await??;
            compress.await??;
            write.await??;
            input.digest()
        })
    }
}

// A stage that cannot hand on its record ends: the one after it has failed and says why.

fn read(stages: &Stages, to_parse: &Sender<Raw>) -> io::Result<()> {
    for index in 0..stages.records() {
        if to_parse.blocking_send(stages.read(index)?).is_err() {
            break;
        }
    }
    Ok(())
}

async fn compute<T: Send + 'static, U: Send + 'static>(
    (stages, cpu): (Arc<Stages>, Cpu),
    kernel: fn(&Stages, T) -> U,
    mut from: Receiver<T>,
    to: Sender<U>,
) -> io::Result<()> {
    while let Some(record) = from.recv().await {
        let stages = Arc::clone(&stages);
        let done = cpu.compute(move || kernel(&stages, record)).await?;
        if to.send(done).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn write(stages: &Stages, mut packed: Receiver<Packed>) -> io::Result<()> {
    while let Some(record) = packed.blocking_recv() {
        stages.write(record)?;
    }
    Ok(())
}
