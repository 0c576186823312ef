//! `matmul`: one block of rows after the other.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::matmul::{Layer, Matmul, MatmulParams};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Matmul> for Sequential {
    fn how(_: &MatmulParams) -> Option<How> {
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

impl Run<Matmul> for EventLoop {
    fn how(_: &MatmulParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Layer>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
