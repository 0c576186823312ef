//! `grain`: one task after the other, none handed over.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Grain> for Sequential {
    fn how(_: &GrainParams) -> Option<How> {
        How::floor(
            "one call after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        Ok(input.digest((0..input.tasks()).map(|id| input.run(id)).sum()))
    }
}

impl Run<Grain> for EventLoop {
    fn how(_: &GrainParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Grains>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
