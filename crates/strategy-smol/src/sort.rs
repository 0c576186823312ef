//! `sort`: both sides of a fork are tasks that their parent awaits.

use std::io;
use std::sync::Arc;

use smol::Task;
use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Part, Sort, SortParams};

use crate::{EXECUTOR, Smol};

impl Run<Sort> for Smol {
    fn how(_: &SortParams) -> How {
        How::fair(
            "both sides of every fork spawned and awaited by their parent",
            "https://docs.rs/smol/latest/smol/struct.Task.html",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        smol::block_on(sort(Arc::clone(input), input.take()?));
        input.digest()
    }
}

fn sort(keys: Arc<Keys>, mut part: Part) -> Task<()> {
    EXECUTOR.spawn(async move {
        let Some(middle) = keys.split(&mut part) else { return keys.sort(&mut part) };
        let (left, right) = part.split_at(middle);
        let left = sort(Arc::clone(&keys), left);
        let right = sort(keys, right);
        left.await;
        right.await;
    })
}
