//! `sort`: the standard library's sort of the whole array.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Sort, SortParams};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Sort> for Sequential {
    fn how(_: &SortParams) -> Option<How> {
        How::floor(
            "`slice::sort_unstable` of the whole array",
            "https://doc.rust-lang.org/std/primitive.slice.html#method.sort_unstable",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        input.sort(&mut input.take()?);
        input.digest()
    }
}

impl Run<Sort> for EventLoop {
    fn how(_: &SortParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Keys>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
