//! `pipeline`: all stages of one record after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::pipeline::{Pipeline, PipelineParams, Stages};

use crate::read_files::ALWAYS_READY;
use crate::{EventLoop, Sequential};

impl Run<Pipeline> for Sequential {
    fn how(_: &PipelineParams) -> Option<How> {
        How::floor(
            "all four stages of one record after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        for index in 0..input.records() {
            let raw = input.read(index)?;
            input.write(input.compress(input.parse(raw)))?;
        }
        input.digest()
    }
}

impl Run<Pipeline> for EventLoop {
    fn how(_: &PipelineParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Stages>) -> io::Result<Digest> {
        Err(unsupported(ALWAYS_READY))
    }
}
