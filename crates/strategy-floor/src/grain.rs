//! `grain`: one task after the other, none handed over.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains};

use crate::Sequential;

impl Run<Grain> for Sequential {
    fn how(_: &GrainParams) -> How {
        How::floor(
            "one call after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        Ok(input.digest((0..input.tasks()).map(|id| input.run(id)).sum()))
    }
}
