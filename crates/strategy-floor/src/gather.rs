//! `gather`: one wait after the other, or a heap of deadlines.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::timers::Timers;
use crate::{EventLoop, Sequential, one_by_one};

impl Run<Gather> for Sequential {
    fn how(params: &GatherParams) -> How {
        one_by_one(
            params.wait_ms,
            params.n,
            How::floor(
                "one thread::sleep after the other",
                "https://doc.rust-lang.org/std/thread/fn.sleep.html",
            ),
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        Ok(input.digest((0..input.n()).map(|id| input.block(id))))
    }
}

impl Run<Gather> for EventLoop {
    fn how(_: &GatherParams) -> How {
        How::floor(
            "a heap of deadlines on one thread",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        let mut timers = Timers::new()?;
        let mut waits: Vec<_> = (0..input.n())
            .map(|id| {
                let waiting = input.start(id);
                timers.set(waiting.since() + input.duration(), id as usize);
                Some(waiting)
            })
            .collect();
        let mut results = vec![u64::MAX; waits.len()];
        while let Some(index) = timers.next()? {
            if let Some(waiting) = waits[index].take() {
                results[index] = waiting.finish();
            }
        }
        Ok(input.digest(results))
    }
}
