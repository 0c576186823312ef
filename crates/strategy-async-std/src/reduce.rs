//! `reduce`: one task per chunk.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::reduce::{Numbers, Reduce, ReduceParams};

use crate::AsyncStd;

impl Run<Reduce> for AsyncStd {
    fn how(_: &ReduceParams) -> How {
        How::fair(
            "one spawned task per chunk, and one that awaits them and adds up",
            "https://docs.rs/async-std/latest/async_std/task/fn.spawn.html",
        )
    }

    fn run(&self, input: &Arc<Numbers>) -> io::Result<Digest> {
        let tasks: Vec<_> = (0..input.chunks())
            .map(|index| {
                let input = Arc::clone(input);
                task::spawn(async move { input.sum(index) })
            })
            .collect();
        // Awaited on a worker: this thread would be woken for one result after the other.
        let sum = task::spawn(async move {
            let mut sum = 0.0;
            for task in tasks {
                sum += task.await;
            }
            sum
        });
        Ok(input.digest(task::block_on(sum)))
    }
}
