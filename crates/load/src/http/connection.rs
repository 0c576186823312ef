//! Connections to an HTTP server, each with the request that is under way on it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use protocol::Failure;
use workloads::http::{Limits, ResponseReader};

use super::{Expect, Seen};
use crate::open;

/// A connection, and the request that is under way on it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    reader: ResponseReader,
    pub(super) current: Option<Current>,
    /// Whether the server said that it closes after this answer, or has.
    pub(super) last: bool,
    /// When it became free, in nanoseconds from the start of the window.
    pub(super) free_since: u64,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current {
    pub(super) index: u64,
    pub(super) kind: usize,
    pub(super) written: usize,
    pub(super) intended: u64,
}

/// What became of a connection's input.
pub(super) enum Outcome {
    Nothing,
    Answer { wrong: Option<String>, status: u16, bytes: u64 },
    Lost(String),
}

/// All connections, in the readiness loop under their numbers.
#[derive(Debug)]
pub(super) struct Connections {
    registry: Registry,
    target: SocketAddr,
    pub(super) all: Vec<Connection>,
}

impl Connections {
    /// Room for so many.
    pub(super) fn new(registry: Registry, target: SocketAddr, count: usize) -> Self {
        Connections { registry, target, all: Vec::with_capacity(count) }
    }

    /// Takes a connection as the next.
    pub(super) fn add(&mut self, stream: StdStream) -> Result<(), Failure> {
        let connection = self.register(stream, self.all.len())?;
        self.all.push(connection);
        Ok(())
    }

    fn register(&self, stream: StdStream, number: usize) -> Result<Connection, Failure> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut stream, Token(number), interest)?;
        Ok(Connection {
            stream,
            reader: ResponseReader::new(Limits::CLIENT),
            current: None,
            last: false,
            free_since: 0,
        })
    }

    /// Opens a connection anew that the server has closed. Whether it is open.
    pub(super) fn reopen(&mut self, number: usize, seen: &mut Seen, now: u64) -> bool {
        seen.reopened += 1;
        let opened = open(self.target, number, self.all.len())
            .and_then(|stream| self.register(stream, number));
        match opened {
            Ok(mut connection) => {
                connection.free_since = now;
                // The old socket leaves the readiness loop when it is closed.
                self.all[number] = connection;
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
    pub(super) fn abandon(&mut self, seen: &mut Seen) {
        let before = seen.reopened;
        for number in 0..self.all.len() {
            if self.all[number].current.is_some() && !self.reopen(number, seen, 0) {
                break;
            }
        }
        // The server has not closed these.
        seen.reopened = before;
    }
}

impl Connection {
    /// Sends what is left of the request.
    pub(super) fn flush(&mut self, kinds: &[Expect]) -> io::Result<()> {
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
    pub(super) fn receive(&mut self, kinds: &[Expect], closed: bool) -> Outcome {
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
