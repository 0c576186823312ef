//! `grain`: halving by recursive `join` down to the single task.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::grain::{Grain, GrainParams, Grains, Yield};

use crate::Rayon;

impl Run<Grain> for Rayon {
    fn how(_: &GrainParams) -> How {
        How::fair(
            "`join` of both halves of the tasks, recursively down to one",
            "https://docs.rs/rayon/latest/rayon/fn.join.html",
        )
    }

    fn run(&self, input: &Arc<Grains>) -> io::Result<Digest> {
        Ok(input.digest(self.pool.install(|| run(input, 0..input.tasks()))))
    }
}

/// Not a parallel iterator: left to itself it runs thousands of small tasks as one, and split down to
/// one by `with_max_len(1)` it hands them over like this, at half as much cost again.
fn run(grains: &Grains, ids: Range<u64>) -> Yield {
    let Range { start, end } = ids;
    if end - start == 1 {
        return grains.run(start);
    }
    let middle = start.midpoint(end);
    let (left, right) = rayon::join(|| run(grains, start..middle), || run(grains, middle..end));
    left + right
}
