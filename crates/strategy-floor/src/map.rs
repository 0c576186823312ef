//! `map`: one block after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::Sequential;

impl Run<Map> for Sequential {
    fn how(_: &MapParams) -> How {
        How::floor(
            "one block after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let hashes: Vec<_> = (0..input.len()).map(|index| input.hash(index)).collect();
        Ok(input.digest(hashes))
    }
}
