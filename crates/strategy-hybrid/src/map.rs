//! `map`: a parallel iterator over the blocks as one job, awaited.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::Hybrid;

impl Run<Map> for Hybrid {
    fn how(_: &MapParams) -> How {
        How::fair(
            "a parallel iterator handed whole to rayon's half of the workers, its oneshot \
             awaited",
            "https://ryhl.io/blog/async-what-is-blocking/",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let blocks = Arc::clone(input);
        let hashes: Vec<_> = self.io.block_on(self.cpu.compute(move || {
            (0..blocks.len()).into_par_iter().map(|index| blocks.hash(index)).collect()
        }))?;
        Ok(input.digest(hashes))
    }
}
