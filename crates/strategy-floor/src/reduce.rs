//! `reduce`: one chunk after the other, and what the memory gives.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::Sequential;
use crate::bandwidth::Bandwidth;

impl Run<Reduce> for Sequential {
    fn how(_: &ReduceParams) -> How {
        How::floor(
            "one chunk after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        Ok(input.digest((0..input.chunks()).map(|index| input.sum(index)).sum()))
    }
}

impl Run<Reduce> for Bandwidth {
    fn how(_: &ReduceParams) -> How {
        How::floor(
            "a thread for each worker, running before the clock starts, each taking the next chunk",
            "https://www.cs.virginia.edu/stream/ref.html",
        )
    }

    fn ready(&self, input: &Arc<Numbers>) -> io::Result<()> {
        self.start(input)
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        Ok(input.digest(self.read(input)))
    }
}
