//! `pipeline`: a task per stage, with channels between them.

use std::io;
use std::sync::Arc;

use smol::channel::{self, Receiver, Sender};
use smol::unblock;
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Packed, Parsed, Pipeline, PipelineParams, Raw, Stages};

use crate::{EXECUTOR, Misuse, Smol};

impl Run<Pipeline> for Smol {
    fn how(_: &PipelineParams) -> How {
        How::fair(
            "bounded channels between two spawned tasks that compute and two unblock closures that \
             read and write",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        let bound = input.bound();
        run(input, channel::bounded(bound), channel::bounded(bound), channel::bounded(bound))
    }
}

impl Run<Pipeline> for Misuse {
    fn how(_: &PipelineParams) -> How {
        How::misuse(
            "unbounded channels: what the fast stages have done in advance piles up in memory",
            "https://docs.rs/smol/latest/smol/channel/fn.unbounded.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        input.unbounded();
        run(input, channel::unbounded(), channel::unbounded(), channel::unbounded())
    }
}

/// A channel between two stages.
type Queue<T> = (Sender<T>, Receiver<T>);

/// The stages that compute may block: nothing else runs on the executor meanwhile.
fn run(
    input: &Arc<Stages>,
    (to_parse, raws): Queue<Raw>,
    (to_compress, parseds): Queue<Parsed>,
    (to_write, packeds): Queue<Packed>,
) -> io::Result<Digest> {
    let stages = Arc::clone(input);
    let reading = unblock(move || {
        for index in 0..stages.records() {
            if to_parse.send_blocking(stages.read(index)?).is_err() {
                break;
            }
        }
        io::Result::Ok(())
    });
    let stages = Arc::clone(input);
    let parsing = EXECUTOR.spawn(async move {
        while let Ok(raw) = raws.recv().await {
            if to_compress.send(stages.parse(raw)).await.is_err() {
                break;
            }
        }
    });
    let stages = Arc::clone(input);
    let compressing = EXECUTOR.spawn(async move {
        while let Ok(parsed) = parseds.recv().await {
            if to_write.send(stages.compress(parsed)).await.is_err() {
                break;
            }
        }
    });
    let stages = Arc::clone(input);
    let writing = unblock(move || {
        while let Ok(packed) = packeds.recv_blocking() {
            stages.write(packed)?;
        }
        io::Result::Ok(())
    });
    smol::block_on(async {
        reading.await?;
        parsing.await;
        compressing.await;
        writing.await
    })?;
    input.digest()
}
