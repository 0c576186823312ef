//! `matmul`: one block of rows after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::Sequential;

impl Run<Matmul> for Sequential {
    fn how(_: &MatmulParams) -> How {
        How::floor(
            "one block of rows after the other",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Layer>) -> io::Result<Digest> {
        let sum = (0..input.blocks()).map(|block| input.multiply(block)).fold(0, u64::wrapping_add);
        Ok(input.digest(sum))
    }
}
