//! `pipeline`: one thread per stage, bounded channels between them.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam::channel::{self, Receiver, Sender};
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Packed, Parsed, Pipeline, PipelineParams, Raw, Stages};

use crate::{Misuse, Threads};

impl Run<Pipeline> for Threads {
    fn how(_: &PipelineParams) -> How {
        How::fair(
            "one scoped thread per stage, bounded crossbeam channels between them",
            "https://docs.rs/crossbeam/latest/crossbeam/channel/fn.bounded.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        let bound = input.bound();
        let (raw, parsed, packed) =
            (channel::bounded(bound), channel::bounded(bound), channel::bounded(bound));
        run_stages(input, raw, parsed, packed)
    }
}

impl Run<Pipeline> for Misuse {
    fn how(_: &PipelineParams) -> How {
        How::misuse(
            "unbounded channels: what the fast stages have done in advance piles up in memory",
            "https://docs.rs/crossbeam/latest/crossbeam/channel/fn.unbounded.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        input.unbounded();
        run_stages(input, channel::unbounded(), channel::unbounded(), channel::unbounded())
    }
}

type Ends<T> = (Sender<T>, Receiver<T>);

/// A stage ends when the one before it has ended, or when what it sends is not received because a
/// later one has failed.
fn run_stages(
    input: &Stages,
    (raw_sender, raw): Ends<Raw>,
    (parsed_sender, parsed): Ends<Parsed>,
    (packed_sender, packed): Ends<Packed>,
) -> io::Result<Digest> {
    thread::scope(|scope| {
        let read = scope.spawn(move || -> io::Result<()> {
            for index in 0..input.records() {
                if raw_sender.send(input.read(index)?).is_err() {
                    break;
                }
            }
            Ok(())
        });
        scope.spawn(move || raw.iter().try_for_each(|raw| parsed_sender.send(input.parse(raw))));
        scope.spawn(move || {
            parsed.iter().try_for_each(|parsed| packed_sender.send(input.compress(parsed)))
        });
        let write = scope.spawn(move || packed.iter().try_for_each(|packed| input.write(packed)));
        read.join().expect("reading does not panic")?;
        write.join().expect("writing does not panic")
    })?;
    input.digest()
}
