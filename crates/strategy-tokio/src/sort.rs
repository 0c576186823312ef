//! `sort`: every side of a split is a task that the task of the whole awaits.

use std::io;
use std::sync::Arc;

use tokio::task::JoinHandle;
use worker::{How, Run};
use workloads::Digest;
use workloads::sort::{Keys, Part, Sort, SortParams};

use crate::Tokio;

impl Run<Sort> for Tokio {
    fn how(_: &SortParams) -> How {
        How::fair(
            "one spawned task per side of a split, both awaited by their parent",
            "https://docs.rs/tokio/latest/tokio/task/index.html#spawning",
        )
    }

    fn run(&self, input: &Arc<Keys>) -> io::Result<Digest> {
        let keys = input.take()?;
        self.runtime.block_on(async { sort(Arc::clone(input), keys).await })?;
        input.digest()
    }
}

fn sort(keys: Arc<Keys>, mut part: Part) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Some(middle) = keys.split(&mut part) else { return keys.sort(&mut part) };
        let (left, right) = part.split_at(middle);
        // No worker can steal the task that a worker spawned last. Were the right side sorted here, the
        // left one would wait for it.
        let sides = [left, right].map(|side| sort(Arc::clone(&keys), side));
        for side in sides {
            side.await.expect("sorting does not panic and is not cancelled");
        }
    })
}
