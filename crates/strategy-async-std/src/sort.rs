//! `sort`: every part is a task that awaits the two it is split into.

use std::io;
use std::sync::Arc;

use async_std::task::{self, JoinHandle};
use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Part, Sort, SortParams};

use crate::AsyncStd;

impl Run<Sort> for AsyncStd {
    fn how(_: &SortParams) -> How {
        How::fair(
            "one spawned task per part, both sides of a split awaited by their parent",
            "https://docs.rs/async-std/latest/async_std/task/struct.JoinHandle.html",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        let part = input.take()?;
        task::block_on(sort(Arc::clone(input), part));
        input.digest()
    }
}

/// Not an `async fn`: the handle's type says nothing about the future, so that recursion needs no box.
fn sort(input: Arc<Keys>, mut part: Part) -> JoinHandle<()> {
    task::spawn(async move {
        let Some(middle) = input.split(&mut part) else {
            return input.sort(&mut part);
        };
        let (left, right) = part.split_at(middle);
        let left = sort(Arc::clone(&input), left);
        let right = sort(input, right);
        left.await;
        right.await;
    })
}
