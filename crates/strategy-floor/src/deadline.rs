//! `deadline`: a heap of deadlines, with the limit as one of them.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use worker::{How, Run, no_form};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operation, Operations};

use crate::timers::Timers;
use crate::{EventLoop, Sequential};

no_form!(Run<Deadline> for Sequential: "one after the other: the first slow operation would use up the limit");

impl Run<Deadline> for EventLoop {
    fn how(_: &DeadlineParams) -> How {
        How::floor(
            "a heap of deadlines on one thread, with the limit as one of them; what is still in it \
             then is dropped",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn run(&self, input: &Arc<Operations>) -> io::Result<Digest> {
        let mut timers = Timers::new()?;
        let limit = Instant::now() + input.limit();
        let mut running: Vec<Option<Operation>> = (0..input.count())
            .map(|id| {
                let operation = input.start(id);
                timers.set(operation.since() + operation.duration(), id as usize);
                Some(operation)
            })
            .collect();
        timers.set(limit, running.len());
        let mut done = Vec::with_capacity(running.len());
        while let Some(index) = timers.next()? {
            // The index after the last is the limit.
            let Some(operation) = running.get_mut(index) else { break };
            done.extend(operation.take().map(Operation::finish));
        }
        let pending: Vec<_> = running.iter().flatten().map(Operation::id).collect();
        drop(running);
        Ok(input.answer(done, pending))
    }
}
