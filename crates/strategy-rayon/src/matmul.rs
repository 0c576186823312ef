//! `matmul`: a parallel iterator that splits down to the single block of rows.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::Rayon;

impl Run<Matmul> for Rayon {
    fn how(_: &MatmulParams) -> How {
        How::fair(
            "a parallel iterator over the blocks of rows, split down to one, reduced by adding",
            "https://docs.rs/rayon/latest/rayon/iter/trait.IndexedParallelIterator.html#method.with_max_len",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let sum = self.pool.install(|| {
            (0..input.blocks())
                .into_par_iter()
                // A part that is not split any further cannot be shared once it has been begun.
                .with_max_len(1)
                .map(|block| input.multiply(block))
                .reduce(|| 0, u64::wrapping_add)
        });
        Ok(input.digest(sum))
    }
}
