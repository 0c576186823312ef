//! Timers of a readiness loop: a heap of deadlines and one poll with a time-out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

/// Deadlines, the earliest first, each with the index that was given to it.
pub(crate) struct Timers {
    poll: Poll,
    events: Events,
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Timers { poll: Poll::new()?, events: Events::with_capacity(1), heap: BinaryHeap::new() })
    }

    pub(crate) fn set(&mut self, deadline: Instant, index: usize) {
        self.heap.push(Reverse((deadline, index)));
    }

    /// Waits for the earliest deadline and returns its index, or `None` if none is set.
    pub(crate) fn next(&mut self) -> io::Result<Option<usize>> {
        let Some(&Reverse((deadline, index))) = self.heap.peek() else { return Ok(None) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                self.heap.pop();
                return Ok(Some(index));
            }
            match self.poll.poll(&mut self.events, Some(left)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}
