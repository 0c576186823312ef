//! `pipeline`: a parallel iterator over a batch of records, while the batch before it is written.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::pipeline::{Packed, Pipeline, PipelineParams, Stages};

use crate::Rayon;

impl Run<Pipeline> for Rayon {
    fn how(_: &PipelineParams) -> How {
        How::fair(
            "batches of records: a parallel iterator packs one, in order, joined with the writing \
             of the one before",
            "https://docs.rs/rayon/latest/rayon/fn.join.html",
        )
    }

    fn run(&self, input: &Arc<Stages>) -> io::Result<Digest> {
        // One batch is packed while another is written: together they may be what a queue holds.
        let size = (input.bound() / 2).max(1);
        self.pool.install(|| {
            let mut done = Vec::new();
            for start in (0..input.records()).step_by(size) {
                let batch = start..input.records().min(start + size);
                let (written, packed) = rayon::join(|| write(input, done), || pack(input, batch));
                written?;
                done = packed?;
            }
            write(input, done)
        })?;
        input.digest()
    }
}

fn pack(input: &Stages, batch: Range<usize>) -> io::Result<Vec<Packed>> {
    batch.into_par_iter().map(|index| Ok(input.compress(input.parse(input.read(index)?)))).collect()
}

fn write(input: &Stages, batch: Vec<Packed>) -> io::Result<()> {
    batch.into_iter().try_for_each(|packed| input.write(packed))
}
