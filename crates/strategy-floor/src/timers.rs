//! Timers of a readiness loop: a heap of deadlines and one alarm, set for the earliest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::Instant;

use machine::Alarm;
use mio::{Events, Poll, Token};

/// Deadlines, the earliest first, each with the index that was given to it.
pub(crate) struct Timers {
    poll: Poll,
    events: Events,
    alarm: Alarm,
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    pub(crate) fn new() -> io::Result<Self> {
        let (poll, alarm) = (Poll::new()?, Alarm::new()?);
        alarm.register(poll.registry(), Token(0))?;
        Ok(Timers { poll, events: Events::with_capacity(1), alarm, heap: BinaryHeap::new() })
    }

    pub(crate) fn set(&mut self, deadline: Instant, index: usize) {
        self.heap.push(Reverse((deadline, index)));
    }

    /// Waits for the earliest deadline and returns its index, or `None` if none is set.
    pub(crate) fn next(&mut self) -> io::Result<Option<usize>> {
        let Some(&Reverse((deadline, index))) = self.heap.peek() else { return Ok(None) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.heap.pop();
                return Ok(Some(index));
            }
            self.alarm.set(left)?;
            match self.poll.poll(&mut self.events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}
