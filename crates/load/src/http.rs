//! HTTP requests over many connections, at times that do not depend on the server (open loop) or as fast
//! as it answers (closed loop). Latency runs from the intended send time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use workloads::http::{Limits, ResponseReader};

use super::in_flight::InFlight;
use super::{nanoseconds, open};
use machine::Alarm;
use protocol::{Failure, FailureKind, Usage};

const ALARM: Token = Token(usize::MAX);
/// Connections made between two checks that the server has accepted all so far; fewer than the
/// backlog that the standard library asks for.
const CONNECT_BATCH: usize = 64;
/// How long the answer to such a check is waited for.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// How many errors are survived before a target counts as lost.
const MAX_ERRORS: u64 = 1_000;

/// One kind of request and what its answer must be.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Bytes of the request.
    pub request: Vec<u8>,
    /// The right status and body; `None` to take any body of any status below 400.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// When each request is sent.
#[derive(Debug, Clone)]
pub enum Timetable {
    /// Number of requests, each sent when a connection is free.
    Closed(u64),
    /// Nanoseconds from the start at which each is due, in order.
    Open(Vec<u64>),
    /// As in the closed loop, until the time is over.
    ClosedFor(Duration),
}

/// How a window is conducted.
#[derive(Debug, Clone)]
pub struct Conduct {
    /// When each request is sent.
    pub timetable: Timetable,
    /// How long the server may be silent while requests are under way.
    pub patience: Duration,
    /// How long after the last request was due others that wait for a connection are still sent in an open loop;
    /// `None` until all have been.
    pub overtime: Option<Duration>,
    /// How long before a request is due the generator stops sleeping: the time that waking up takes. More
    /// of it means less send lag, and more CPU time that a server on the same CPUs does not get.
    pub spin: Duration,
}

/// What was seen in one window. Times in nanoseconds.
#[derive(Debug, Default)]
pub struct Seen {
    /// From the start until the last answer.
    pub wall_ns: u64,
    /// Requests sent.
    pub sent: u64,
    /// For each answer, in the order of arrival: index of the request, latency from the intended send
    /// time.
    pub answers: Vec<(u64, u64)>,
    /// How late each request left although a connection was free.
    pub lag_ns: Vec<u64>,
    /// Requests that were due and waited for a connection when the last one became due, however many were under
    /// way on the connections.
    pub backlog: u64,
    /// Requests due and unanswered, integrated over the window: requests times nanoseconds.
    pub in_flight_ns: f64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that were opened anew because the server had closed them.
    pub reopened: u64,
    /// Why the window ended before its time.
    pub lost: Option<String>,
    /// Requests without a right answer.
    pub errors: u64,
    /// Those of them that were answered, but not rightly.
    pub wrong: u64,
    /// Why the first of them failed.
    pub first_error: Option<String>,
    /// Requests that were sent and not answered in time, or due and not sent.
    pub unanswered: u64,
    /// Bytes of all bodies.
    pub body_bytes: u64,
    /// What the generator used meanwhile.
    pub usage: Option<Usage>,
}

/// Connections to an HTTP server.
#[derive(Debug)]
pub struct HttpGenerator {
    poll: Poll,
    events: Events,
    alarm: Alarm,
    target: SocketAddr,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    reader: ResponseReader,
    current: Option<Current>,
    /// Whether the server said that it closes after this answer, or has.
    last: bool,
    /// When it became free, in nanoseconds from the start of the window.
    free_since: u64,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
struct Current {
    index: u64,
    kind: usize,
    written: usize,
    intended: u64,
}

/// What became of a connection's input.
enum Outcome {
    Nothing,
    Answer { wrong: Option<String>, status: u16, bytes: u64 },
    Lost(String),
}

impl HttpGenerator {
    /// Opens all connections. Now and then one of them sends `first` and waits for the answer, to know that
    /// the server has accepted all so far: one that finds the backlog full is tried again after a second
    /// only.
    ///
    /// # Errors
    /// If one cannot be opened or is not answered.
    pub fn connect(target: SocketAddr, connections: usize, first: &[u8]) -> Result<Self, Failure> {
        machine::raise_file_limit();
        let poll = Poll::new()?;
        let alarm = Alarm::new()?;
        alarm.register(poll.registry(), ALARM)?;
        let mut generator = HttpGenerator {
            poll,
            events: Events::with_capacity(1024),
            alarm,
            target,
            connections: Vec::with_capacity(connections),
        };
        for number in 0..connections {
            let mut stream = open(target, number, connections)?;
            if (number % CONNECT_BATCH == CONNECT_BATCH - 1 || number == connections - 1)
                && !ask(&mut stream, first).map_err(|error| {
                    let reason = format!(
                        "connection {} of {connections} was not served: {error}",
                        number + 1
                    );
                    Failure::new(FailureKind::Crashed, reason)
                })?
            {
                stream = open(target, number, connections)?;
            }
            let connection = generator.connection(stream, number)?;
            generator.connections.push(connection);
        }
        Ok(generator)
    }

    fn connection(&self, stream: StdStream, number: usize) -> Result<Connection, Failure> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest)?;
        Ok(Connection {
            stream,
            reader: ResponseReader::new(Limits::CLIENT),
            current: None,
            last: false,
            free_since: 0,
        })
    }

    /// Drives one window. Request `index` is of kind `kind(index)`. If the target is lost, because it refuses new
    /// connections or errors abound, the window ends, and what was seen so far says why.
    ///
    /// # Errors
    /// If the system's means to wait for input fail.
    pub fn window(
        &mut self,
        conduct: &Conduct,
        kinds: &[Expect],
        kind: impl Fn(u64) -> usize,
    ) -> Result<Seen, Failure> {
        let (due, total, until) = match &conduct.timetable {
            Timetable::Closed(requests) => (None, *requests, None),
            Timetable::ClosedFor(time) => (None, u64::MAX, Some(nanoseconds(*time))),
            Timetable::Open(due) => (Some(due.as_slice()), due.len() as u64, None),
        };
        let mut seen = Seen::default();
        let expected = if total == u64::MAX { 1 << 16 } else { total as usize };
        seen.answers.reserve_exact(expected);
        seen.lag_ns.reserve_exact(if due.is_some() { expected } else { 0 });
        let patience = nanoseconds(conduct.patience);
        let last_due = due.and_then(|due| due.last().copied());
        let closes = last_due
            .zip(conduct.overtime)
            .map(|(last, more)| last.saturating_add(nanoseconds(more)));
        let mut in_flight = InFlight::default();
        let mut came = 0;
        let mut idle: VecDeque<usize> = (0..self.connections.len()).collect();
        self.connections.iter_mut().for_each(|connection| connection.free_since = 0);
        let mut next = 0;
        let mut done = 0;
        let cpu = machine::usage();
        let start = Instant::now();
        let mut last_activity = 0;
        loop {
            let mut now = nanoseconds(start.elapsed());
            let sending = |next: u64, now: u64| {
                next < total
                    && until.is_none_or(|until| now < until)
                    && closes.is_none_or(|closes| now < closes)
            };
            // What is due leaves at once while there are connections.
            while sending(next, now) && due.is_none_or(|due| due[next as usize] <= now) {
                let Some(number) = idle.pop_front() else { break };
                let connection = &mut self.connections[number];
                let intended = due.map_or(now, |due| due[next as usize]);
                match last_due {
                    Some(last) => {
                        seen.lag_ns.push(now - intended.max(connection.free_since).min(now));
                        // The connection that took it was not free then.
                        seen.backlog += u64::from(connection.free_since > last);
                    }
                    None => in_flight.enter(now),
                }
                let current = Current { index: next, kind: kind(next), written: 0, intended };
                connection.current = Some(current);
                next += 1;
                seen.sent += 1;
                last_activity = now;
                if let Err(error) = connection.flush(kinds) {
                    done += 1;
                    arrive(&mut in_flight, due, &mut came, now);
                    in_flight.leave(now);
                    if self.replace(number, error.to_string(), &mut seen, now) {
                        idle.push_back(number);
                    } else {
                        break;
                    }
                }
                now = nanoseconds(start.elapsed());
            }
            if seen.lost.is_some() {
                break;
            }
            if !sending(next, now) && done == seen.sent {
                if due.is_some() {
                    seen.unanswered = total - next;
                    seen.backlog += total - next;
                }
                break;
            }
            let quiet = now.saturating_sub(last_activity.max(due.map_or(0, |due| {
                // Time in which nothing was due is no silence of the server.
                if next < total { due[next as usize].min(now) } else { 0 }
            })));
            if quiet > patience {
                let unsent = if due.is_some() { total - next } else { 0 };
                seen.unanswered = seen.sent - done + unsent;
                seen.backlog += unsent;
                self.abandon(&mut seen);
                break;
            }
            let timeout = match due {
                Some(due) if next < total && !idle.is_empty() => {
                    let left = Duration::from_nanos(due[next as usize].saturating_sub(now));
                    if left <= conduct.spin {
                        Some(Duration::ZERO)
                    } else {
                        self.alarm.set(left - conduct.spin)?;
                        None
                    }
                }
                _ => Some(Duration::from_millis(100)),
            };
            match self.poll.poll(&mut self.events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            let mut lost = Vec::new();
            for event in &self.events {
                if event.token() == ALARM {
                    continue;
                }
                let number = event.token().0;
                let connection = &mut self.connections[number];
                if event.is_writable() {
                    // Why it failed is told by reading.
                    let _ = connection.flush(kinds);
                }
                if !event.is_readable() {
                    continue;
                }
                match connection.receive(kinds, event.is_read_closed()) {
                    Outcome::Nothing => continue,
                    Outcome::Lost(reason) => {
                        if connection.current.take().is_some() {
                            let at = nanoseconds(start.elapsed());
                            arrive(&mut in_flight, due, &mut came, at);
                            in_flight.leave(at);
                            done += 1;
                            lost.push((number, Some(reason)));
                        } else if !idle.contains(&number) {
                            continue;
                        } else {
                            idle.retain(|&other| other != number);
                            lost.push((number, None));
                        }
                    }
                    Outcome::Answer { wrong, status, bytes } => {
                        let at = nanoseconds(start.elapsed());
                        arrive(&mut in_flight, due, &mut came, at);
                        in_flight.leave(at);
                        *seen.statuses.entry(status).or_insert(0) += 1;
                        last_activity = at;
                        let current = connection.current.take().expect("an answer has a request");
                        connection.free_since = at;
                        seen.wall_ns = at;
                        seen.body_bytes += bytes;
                        done += 1;
                        match wrong {
                            None => seen.answers.push((current.index, at - current.intended)),
                            Some(what) => {
                                seen.errors += 1;
                                seen.wrong += 1;
                                seen.first_error.get_or_insert_with(|| {
                                    format!("answer {} has {what}", current.index)
                                });
                            }
                        }
                        if connection.last {
                            lost.push((number, None));
                        } else if due.is_none() && sending(next, at) {
                            // The next one leaves before other answers are looked at.
                            let index = next;
                            next += 1;
                            seen.sent += 1;
                            in_flight.enter(at);
                            connection.current = Some(Current {
                                index,
                                kind: kind(index),
                                written: 0,
                                intended: at,
                            });
                            if connection.flush(kinds).is_err() {
                                connection.current = None;
                                in_flight.leave(at);
                                done += 1;
                                lost.push((number, Some("the server closed a connection".into())));
                            }
                        } else {
                            idle.push_back(number);
                        }
                    }
                }
            }
            for (number, reason) in lost {
                let now = nanoseconds(start.elapsed());
                let open = match reason {
                    Some(reason) => self.replace(number, reason, &mut seen, now),
                    None => self.reopen(number, &mut seen, now),
                };
                if open {
                    idle.push_back(number);
                }
            }
        }
        if seen.lost.is_some() {
            seen.unanswered = seen.sent.saturating_sub(done);
        }
        seen.in_flight_ns = in_flight.area();
        seen.usage = machine::usage().zip(cpu).map(|(after, before)| after.since(&before));
        Ok(seen)
    }

    /// A request got no answer: notes why and opens its connection anew. Whether it is open.
    fn replace(&mut self, number: usize, reason: String, seen: &mut Seen, now: u64) -> bool {
        seen.errors += 1;
        if seen.errors > MAX_ERRORS && seen.answers.is_empty() {
            seen.lost =
                Some(format!("{} requests failed and none was answered: {reason}", seen.errors));
        }
        seen.first_error.get_or_insert(reason);
        self.reopen(number, seen, now)
    }

    /// Opens a connection anew that the server has closed. Whether it is open.
    fn reopen(&mut self, number: usize, seen: &mut Seen, now: u64) -> bool {
        seen.reopened += 1;
        let opened = open(self.target, number, self.connections.len())
            .and_then(|stream| self.connection(stream, number));
        match opened {
            Ok(mut connection) => {
                connection.free_since = now;
                // The old socket leaves the readiness loop when it is closed.
                self.connections[number] = connection;
                true
            }
            Err(failure) => {
                let reopened = seen.reopened;
                seen.lost.get_or_insert_with(|| {
                    format!("{} ({reopened} were closed and opened anew)", failure.reason)
                });
                false
            }
        }
    }

    /// Gives up what is under way, so that the next window starts from idle connections.
    fn abandon(&mut self, seen: &mut Seen) {
        let before = seen.reopened;
        for number in 0..self.connections.len() {
            if self.connections[number].current.is_some() && !self.reopen(number, seen, 0) {
                break;
            }
        }
        // The server has not closed these.
        seen.reopened = before;
    }
}

/// Counts the requests that have become due by now.
fn arrive(in_flight: &mut InFlight, due: Option<&[u64]>, came: &mut usize, now: u64) {
    while let Some(at) = due.and_then(|due| due.get(*came)).filter(|at| **at <= now) {
        in_flight.enter(*at);
        *came += 1;
    }
}

impl Connection {
    fn flush(&mut self, kinds: &[Expect]) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let request = &kinds[current.kind].request;
        while current.written < request.len() {
            match self.stream.write(&request[current.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => current.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until an answer is whole or nothing more is there.
    fn receive(&mut self, kinds: &[Expect], closed: bool) -> Outcome {
        loop {
            let space = self.reader.space();
            let room = space.len();
            let count = match self.stream.read(space) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Outcome::Nothing,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Outcome::Lost(format!("the server closed a connection: {error}"));
                }
            };
            let answer = if count == 0 {
                self.reader.end()
            } else {
                self.reader.received(count);
                self.reader.next()
            };
            let response = match answer {
                Err(error) => return Outcome::Lost(format!("no HTTP came back: {error}")),
                Ok(Some(response)) => response,
                Ok(None) if count == 0 => {
                    return Outcome::Lost("the server closed a connection".to_owned());
                }
                // A read that does not fill its space has emptied the socket, unless its end is in it.
                Ok(None) if count < room && !closed => return Outcome::Nothing,
                Ok(None) => continue,
            };
            let Some(current) = self.current else {
                return Outcome::Lost("the server sent an answer that nobody asked for".to_owned());
            };
            // The end may have come with the answer, unannounced: no event tells of it again.
            self.last = !response.keep_alive || count == 0 || closed;
            let (status, body) = (response.status, response.body);
            let wrong = match &kinds[current.kind].answer {
                Some((right, _)) if status != *right => {
                    Some(format!("status {status} where {right} is right"))
                }
                Some((_, right)) if body != right.as_slice() => Some(format!(
                    "another body, of {} bytes, where one of {} bytes is right",
                    body.len(),
                    right.len()
                )),
                None if status >= 400 => Some(format!("status {status}")),
                _ => None,
            };
            return Outcome::Answer { wrong, status, bytes: body.len() as u64 };
        }
    }
}

/// Sends a request and waits for its answer. Whether the connection stays open.
fn ask(stream: &mut StdStream, request: &[u8]) -> io::Result<bool> {
    stream.set_read_timeout(Some(FIRST_PATIENCE))?;
    stream.write_all(request)?;
    let mut reader = ResponseReader::new(Limits::CLIENT);
    loop {
        let count = stream.read(reader.space())?;
        if count == 0 {
            let last = reader.end().map_err(io::Error::other)?;
            return last.map(|_| false).ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
        }
        reader.received(count);
        if let Some(response) = reader.next().map_err(io::Error::other)? {
            return Ok(response.keep_alive);
        }
    }
}
