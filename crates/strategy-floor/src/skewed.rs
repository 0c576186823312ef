//! `skewed`: one job after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Skewed> for Sequential {
    fn how(_: &SkewedParams) -> Option<How> {
        How::floor(
            "one job after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let sum = (0..input.len()).map(|index| input.run(index)).fold(0, u64::wrapping_add);
        Ok(input.digest(sum))
    }
}

impl Run<Skewed> for EventLoop {
    fn how(_: &SkewedParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Jobs>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
