//! `skewed`: a parallel iterator that splits down to the single job.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::skewed::{Jobs, Skewed, SkewedParams};

use crate::Rayon;

impl Run<Skewed> for Rayon {
    fn how(_: &SkewedParams) -> How {
        How::fair(
            "a parallel iterator over the jobs, split down to one, reduced by adding",
            "https://docs.rs/rayon/latest/rayon/iter/trait.IndexedParallelIterator.html#method.with_max_len",
        )
    }

    fn run(&self, input: &Arc<Jobs>) -> io::Result<Digest> {
        let sum = self.pool.install(|| {
            (0..input.len())
                .into_par_iter()
                // A part that is not split any further cannot be shared once it has been begun.
                .with_max_len(1)
                .map(|index| input.run(index))
                .reduce(|| 0, u64::wrapping_add)
        });
        Ok(input.digest(sum))
    }
}
