//! `sort`: quicksort by recursive `join`.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Sort, SortParams};

use crate::Rayon;

impl Run<Sort> for Rayon {
    fn how(_: &SortParams) -> How {
        How::fair(
            "`join` of both sides of a split, recursively down to a leaf",
            "https://docs.rs/rayon/latest/rayon/fn.join.html",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        let mut keys = input.take()?;
        self.pool.install(|| sort(input, &mut keys));
        drop(keys);
        input.digest()
    }
}

fn sort(keys: &Keys, part: &mut [u64]) {
    match keys.split(part) {
        None => keys.sort(part),
        Some(middle) => {
            let (left, right) = part.split_at_mut(middle);
            rayon::join(|| sort(keys, left), || sort(keys, right));
        }
    }
}
