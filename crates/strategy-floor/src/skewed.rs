//! `skewed`: one job after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::Sequential;

impl Run<Skewed> for Sequential {
    fn how(_: &SkewedParams) -> How {
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
