//! `map`: a parallel iterator over the blocks, results in order.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::Rayon;

impl Run<Map> for Rayon {
    fn how(_: &MapParams) -> How {
        How::fair(
            "a parallel iterator over the blocks, collected in order",
            "https://docs.rs/rayon/latest/rayon/iter/index.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let hashes: Vec<_> = self
            .pool
            .install(|| (0..input.len()).into_par_iter().map(|index| input.hash(index)).collect());
        Ok(input.digest(hashes))
    }
}
