//! One window: which request leaves when, and what its answer came to.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use mio::Events;
use mio::event::Event;
use protocol::Usage;

use super::connection::{Connections, Current, Outcome};
use super::{ALARM, Conduct, Expect, Seen, Timetable};
use crate::in_flight::InFlight;
use crate::nanoseconds;

/// How many errors are survived before a target counts as lost.
const MAX_ERRORS: u64 = 1_000;

/// When requests may leave. Times in nanoseconds from the start.
struct Plan<'a> {
    /// When each is due, in an open loop.
    due: Option<&'a [u64]>,
    /// When the last of these is.
    last_due: Option<u64>,
    /// Requests in all.
    total: u64,
    /// When the last may leave.
    until: u64,
    /// How long the server may be silent.
    patience: u64,
}

impl<'a> Plan<'a> {
    fn of(conduct: &'a Conduct) -> Self {
        let (due, total, until) = match &conduct.timetable {
            Timetable::Closed(requests) => (None, *requests, None),
            Timetable::ClosedFor(time) => (None, u64::MAX, Some(nanoseconds(*time))),
            Timetable::Open(due) => (Some(due.as_slice()), due.len() as u64, None),
        };
        let last_due = due.and_then(|due| due.last().copied());
        let closes = last_due
            .zip(conduct.overtime)
            .map(|(last, more)| last.saturating_add(nanoseconds(more)));
        Plan {
            due,
            last_due,
            total,
            until: until.or(closes).unwrap_or(u64::MAX),
            patience: nanoseconds(conduct.patience),
        }
    }

    /// Whether request `next` may still leave.
    fn allows(&self, next: u64, now: u64) -> bool {
        next < self.total && now < self.until
    }

    /// When request `next` is due, in an open loop that has it.
    fn due(&self, next: u64) -> Option<u64> {
        self.due?.get(next as usize).copied()
    }
}

/// How a connection ended that has to be opened anew.
enum End {
    /// Without a request under way.
    Free,
    /// With one that got no answer, for this reason.
    Failed(String),
}

/// The state of a window. Requests are numbered in the order in which they leave.
pub(super) struct Window<'a, K> {
    connections: &'a mut Connections,
    plan: Plan<'a>,
    kinds: &'a [Expect],
    kind: K,
    /// Connections without a request, the longest free first.
    idle: VecDeque<usize>,
    /// The next request to leave.
    next: u64,
    /// Requests answered or lost.
    done: u64,
    in_flight: InFlight,
    /// Requests of an open loop that have been counted as due.
    came: u64,
    last_activity: u64,
    seen: Seen,
    cpu: Option<Usage>,
    start: Instant,
}

impl<'a, K: Fn(u64) -> usize> Window<'a, K> {
    /// Starts now. Request `index` is of kind `kind(index)`.
    pub(super) fn new(
        connections: &'a mut Connections,
        conduct: &'a Conduct,
        kinds: &'a [Expect],
        kind: K,
    ) -> Self {
        let plan = Plan::of(conduct);
        let mut seen = Seen::default();
        let expected = if plan.total == u64::MAX { 1 << 16 } else { plan.total as usize };
        seen.answers.reserve_exact(expected);
        seen.lag_ns.reserve_exact(if plan.due.is_some() { expected } else { 0 });
        let idle = (0..connections.all.len()).collect();
        connections.all.iter_mut().for_each(|connection| connection.free_since = 0);
        Window {
            connections,
            plan,
            kinds,
            kind,
            idle,
            next: 0,
            done: 0,
            in_flight: InFlight::default(),
            came: 0,
            last_activity: 0,
            seen,
            cpu: machine::usage(),
            start: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Sends what is due while there are connections, and returns the time after the last.
    pub(super) fn send_due(&mut self) -> u64 {
        let mut now = self.now();
        while self.plan.allows(self.next, now) {
            let intended = self.plan.due(self.next).unwrap_or(now);
            if intended > now {
                break;
            }
            let Some(number) = self.idle.pop_front() else { break };
            let free_since = self.connections.all[number].free_since;
            match self.plan.last_due {
                Some(last) => {
                    self.seen.lag_ns.push(now - intended.max(free_since).min(now));
                    // The connection that took it was not free then.
                    self.seen.backlog += u64::from(free_since > last);
                }
                None => self.in_flight.enter(now),
            }
            self.last_activity = now;
            if let Err(error) = self.send(number, intended) {
                self.leave(now);
                if !self.renew(number, End::Failed(error.to_string()), now) {
                    break;
                }
            }
            now = self.now();
        }
        now
    }

    /// Sends the next request on a connection.
    fn send(&mut self, number: usize, intended: u64) -> io::Result<()> {
        let connection = &mut self.connections.all[number];
        let (index, kind) = (self.next, (self.kind)(self.next));
        connection.current = Some(Current { index, kind, written: 0, intended });
        self.next += 1;
        self.seen.sent += 1;
        connection.flush(self.kinds)
    }

    /// Whether nothing more is to be sent or waited for.
    pub(super) fn is_over(&mut self, now: u64) -> bool {
        if self.seen.lost.is_some() {
            return true;
        }
        let unsent = if self.plan.due.is_some() { self.plan.total - self.next } else { 0 };
        let all_done = !self.plan.allows(self.next, now) && self.done == self.seen.sent;
        // Time in which nothing was due is no silence of the server.
        let due = self.plan.due(self.next).map_or(0, |due| due.min(now));
        let silent = now.saturating_sub(self.last_activity.max(due)) > self.plan.patience;
        if !all_done && !silent {
            return false;
        }
        self.seen.unanswered = self.seen.sent - self.done + unsent;
        self.seen.backlog += unsent;
        if !all_done {
            self.connections.abandon(&mut self.seen);
        }
        true
    }

    /// How long until a request is due for which there is a connection.
    pub(super) fn until_due(&self, now: u64) -> Option<Duration> {
        let due = self.plan.due(self.next).filter(|_| !self.idle.is_empty())?;
        Some(Duration::from_nanos(due.saturating_sub(now)))
    }

    /// Takes what has come.
    pub(super) fn handle(&mut self, events: &Events) {
        let mut closed = Vec::new();
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let number = event.token().0;
            if let Some(end) = self.take(number, event) {
                closed.push((number, end));
            }
        }
        for (number, end) in closed {
            self.renew(number, end, self.now());
        }
    }

    /// Takes what has come on one connection, and says how it ended, if it has.
    fn take(&mut self, number: usize, event: &Event) -> Option<End> {
        let connection = &mut self.connections.all[number];
        if event.is_writable() {
            // Why it failed is told by reading.
            let _ = connection.flush(self.kinds);
        }
        if !event.is_readable() {
            return None;
        }
        match connection.receive(self.kinds, event.is_read_closed()) {
            Outcome::Nothing => None,
            Outcome::Lost(reason) => {
                if connection.current.take().is_some() {
                    self.leave(self.now());
                    return Some(End::Failed(reason));
                }
                let place = self.idle.iter().position(|&other| other == number)?;
                self.idle.remove(place);
                Some(End::Free)
            }
            Outcome::Answer { wrong, status, bytes } => {
                let at = self.now();
                self.leave(at);
                self.last_activity = at;
                self.answered(number, wrong, at);
                self.seen.wall_ns = at;
                *self.seen.statuses.entry(status).or_insert(0) += 1;
                self.seen.body_bytes += bytes;
                self.go_on(number, at)
            }
        }
    }

    /// Notes the answer to the request of a connection, which is free from then on.
    fn answered(&mut self, number: usize, wrong: Option<String>, at: u64) {
        let connection = &mut self.connections.all[number];
        let current = connection.current.take().expect("an answer has a request");
        connection.free_since = at;
        match wrong {
            None => self.seen.answers.push((current.index, at - current.intended)),
            Some(what) => {
                self.seen.errors += 1;
                self.seen.wrong += 1;
                self.seen
                    .first_error
                    .get_or_insert_with(|| format!("answer {} has {what}", current.index));
            }
        }
    }

    /// Has a connection go on after an answer, and says how it ended, if it has.
    fn go_on(&mut self, number: usize, at: u64) -> Option<End> {
        if self.connections.all[number].last {
            return Some(End::Free);
        }
        if self.plan.due.is_some() || !self.plan.allows(self.next, at) {
            self.idle.push_back(number);
            return None;
        }
        // The next one leaves before other answers are looked at.
        self.in_flight.enter(at);
        if self.send(number, at).is_ok() {
            return None;
        }
        self.leave(at);
        Some(End::Failed("the server closed a connection".to_owned()))
    }

    /// A request is answered or lost.
    fn leave(&mut self, at: u64) {
        // Those that have become due by now came before.
        while let Some(due) = self.plan.due(self.came).filter(|due| *due <= at) {
            self.in_flight.enter(due);
            self.came += 1;
        }
        self.in_flight.leave(at);
        self.done += 1;
    }

    /// Opens a connection anew and notes the request that was lost with it. Whether it is open.
    fn renew(&mut self, number: usize, end: End, now: u64) -> bool {
        let seen = &mut self.seen;
        if let End::Failed(reason) = end {
            seen.errors += 1;
            if seen.errors > MAX_ERRORS && seen.answers.is_empty() {
                seen.lost = Some(format!(
                    "{} requests failed and none was answered: {reason}",
                    seen.errors
                ));
            }
            seen.first_error.get_or_insert(reason);
        }
        let open = self.connections.reopen(number, seen, now);
        if open {
            self.idle.push_back(number);
        }
        open
    }

    /// What was seen.
    pub(super) fn finish(mut self) -> Seen {
        if self.seen.lost.is_some() {
            self.seen.unanswered = self.seen.sent.saturating_sub(self.done);
        }
        self.seen.in_flight_ns = self.in_flight.area();
        self.seen.usage =
            machine::usage().zip(self.cpu).map(|(after, before)| after.since(&before));
        self.seen
    }
}
