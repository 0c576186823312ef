//! `reduce`: a parallel iterator that splits down to the single chunk, summed.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::Rayon;

impl Run<Reduce> for Rayon {
    fn how(_: &ReduceParams) -> How {
        How::fair(
            "a parallel iterator over the chunks, split down to one, summed",
            "https://docs.rs/rayon/latest/rayon/iter/trait.IndexedParallelIterator.html#method.with_max_len",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let total = self.pool.install(|| {
            (0..input.chunks())
                .into_par_iter()
                // A part that is not split any further cannot be shared once it has been begun.
                .with_max_len(1)
                .map(|index| input.sum(index))
                .sum()
        });
        Ok(input.digest(total))
    }
}
