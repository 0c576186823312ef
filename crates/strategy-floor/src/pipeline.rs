//! `pipeline`: all stages of one record after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Pipeline, PipelineParams, Stages};

use crate::Sequential;

impl Run<Pipeline> for Sequential {
    fn how(_: &PipelineParams) -> How {
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
