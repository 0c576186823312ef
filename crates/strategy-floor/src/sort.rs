//! `sort`: the standard library's sort of the whole array.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Sort, SortParams};

use crate::Sequential;

impl Run<Sort> for Sequential {
    fn how(_: &SortParams) -> How {
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
