//! HTTP requests over many connections, at times that do not depend on the server (open loop) or as fast
//! as it answers (closed loop). Latency runs from the intended send time.

mod connection;
mod window;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use machine::Alarm;
use mio::{Events, Poll, Token};
use protocol::{Failure, FailureKind, Usage};
use workloads::http::{Limits, ResponseReader};

use self::connection::Connections;
use self::window::Window;
use super::open;

const ALARM: Token = Token(usize::MAX);
/// Connections made between two checks that the server has accepted all so far; fewer than the
/// backlog that the standard library asks for.
const CONNECT_BATCH: usize = 64;
/// How long the answer to such a check is waited for.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);

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
    connections: Connections,
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
        let mut opened = Connections::new(poll.registry().try_clone()?, target, connections);
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
            opened.add(stream)?;
        }
        Ok(HttpGenerator { poll, events: Events::with_capacity(1024), alarm, connections: opened })
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
        let mut window = Window::new(&mut self.connections, conduct, kinds, kind);
        loop {
            let now = window.send_due();
            if window.is_over(now) {
                return Ok(window.finish());
            }
            let timeout = match window.until_due(now) {
                None => Some(Duration::from_millis(100)),
                Some(left) if left <= conduct.spin => Some(Duration::ZERO),
                Some(left) => {
                    self.alarm.set(left - conduct.spin)?;
                    None
                }
            };
            match self.poll.poll(&mut self.events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            window.handle(&self.events);
        }
    }
}

/// Sends a request and waits for its answer. Whether the connection stays open.
fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<bool> {
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
