//! Messages to an echo service in a closed loop over many connections.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use workloads::echo::{EchoParams, Message};
use workloads::{Digest, Facts};

use protocol::{Failure, FailureKind, Window};
use workloads::{histogram, steps};

const PATIENCE: Duration = Duration::from_secs(30);
/// Connections made between two checks that the server has accepted all so far; fewer than the
/// backlog that the standard library asks for.
const CONNECT_BATCH: u64 = 64;

/// Connections to an echo service, each sending its next message when the last has come back.
#[derive(Debug)]
pub(crate) struct EchoGenerator {
    poll: Poll,
    connections: Vec<Connection>,
    round_trips_each: u64,
}

impl EchoGenerator {
    /// Opens all connections.
    pub(crate) fn connect(target: SocketAddr, params: &EchoParams) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for number in 0..params.connections {
            let mut connection = Connection::open(target, number, params).map_err(|error| {
                let reason =
                    format!("connection {} of {} failed: {error}", number + 1, params.connections);
                Failure::new(FailureKind::Crashed, reason)
            })?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(connections.len());
            poll.registry().register(&mut connection.stream, token, interest)?;
            connections.push(connection);
        }
        Ok(EchoGenerator { poll, connections, round_trips_each: params.round_trips_each() })
    }

    /// Sends every connection's messages and receives them back.
    pub(crate) fn window(&mut self) -> Result<Window, Failure> {
        let mut histogram = histogram([]);
        let mut events = Events::with_capacity(1024);
        let mut digest = Digest::of_number(0);
        let mut open = self.connections.len();
        let cpu = machine::usage();
        let start = Instant::now();
        for connection in &mut self.connections {
            connection.next = 0;
            connection.send_next()?;
        }
        while open > 0 {
            match self.poll.poll(&mut events, Some(PATIENCE)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            if events.is_empty() {
                return Err(Failure::new(
                    FailureKind::Timeout,
                    format!("{open} connections got no reply for {} s", PATIENCE.as_secs()),
                ));
            }
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                connection.flush()?;
                let Some((latency, checksum)) = connection.receive()? else { continue };
                histogram.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
                digest = digest ^ Digest::of_number(checksum);
                if connection.next < self.round_trips_each {
                    connection.send_next()?;
                } else {
                    open -= 1;
                }
            }
        }
        let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let used = machine::usage().zip(cpu).map(|(after, before)| after.since(&before));
        Ok(Window {
            wall_ns,
            digest,
            latency_ns: steps(&histogram),
            generator_cpu_ns: used.map(|used| used.cpu_ns()),
            facts: Facts::new(),
        })
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    message: Message,
    next: u64,
    sent: usize,
    sent_at: Instant,
    reply: Vec<u8>,
    received: usize,
}

impl Connection {
    fn open(target: SocketAddr, number: u64, params: &EchoParams) -> io::Result<Self> {
        let mut stream = StdStream::connect(target)?;
        stream.set_nodelay(true)?;
        let message = Message::new(number, params.message_bytes as usize);
        let size = message.bytes().len();
        let mut reply = vec![0; size];
        if number % CONNECT_BATCH == CONNECT_BATCH - 1 || number == params.connections - 1 {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(message.bytes())?;
            stream.read_exact(&mut reply)?;
        }
        stream.set_nonblocking(true)?;
        Ok(Connection {
            stream: TcpStream::from_std(stream),
            message,
            next: 0,
            sent: size,
            sent_at: Instant::now(),
            reply,
            received: 0,
        })
    }

    fn send_next(&mut self) -> Result<(), Failure> {
        self.message.stamp(self.next);
        self.next += 1;
        self.sent = 0;
        self.received = 0;
        self.sent_at = Instant::now();
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        while self.sent < self.message.bytes().len() {
            match self.stream.write(&self.message.bytes()[self.sent..]) {
                Ok(0) => return Err(closed()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Latency and checksum of the reply if it has arrived whole and has not been received before.
    fn receive(&mut self) -> Result<Option<(Duration, u64)>, Failure> {
        while self.received < self.reply.len() {
            match self.stream.read(&mut self.reply[self.received..]) {
                Ok(0) => return Err(closed()),
                Ok(count) => self.received += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if self.received == self.reply.len() {
                let latency = self.sent_at.elapsed();
                let Some(checksum) = self.message.verify(&self.reply) else {
                    let reason = format!("reply {} is not the message that was sent", self.next);
                    return Err(Failure::new(FailureKind::WrongAnswer, reason));
                };
                return Ok(Some((latency, checksum)));
            }
        }
        Ok(None)
    }
}

fn closed() -> Failure {
    Failure::new(FailureKind::Crashed, "the server closed a connection")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use workloads::Service;
    use workloads::echo::Echo;

    use super::*;

    fn params() -> EchoParams {
        EchoParams { connections: 3, message_bytes: 100, round_trips: 30 }
    }

    /// A server that passes every chunk through `reply`; an empty answer closes the connection.
    fn serve(reply: fn(usize, &[u8]) -> Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut buffer = [0; 64];
                    let mut total = 0;
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        let answer = reply(total, &buffer[..count]);
                        total += count;
                        if answer.is_empty() || stream.write_all(&answer).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        address
    }

    #[test]
    fn an_honest_server_yields_the_expected_digest_in_every_window() {
        let address = serve(|_, bytes| bytes.to_vec());
        let mut generator = EchoGenerator::connect(address, &params()).unwrap();
        for _ in 0..2 {
            let window = generator.window().unwrap();
            assert_eq!(window.digest, Echo::expected(&params()));
            assert_eq!(window.latency_ns.iter().map(|(_, count)| count).sum::<u64>(), 30);
            assert!(window.latency_ns.iter().all(|&(ns, _)| ns > 1_000));
        }
    }

    #[test]
    fn a_changed_byte_is_a_wrong_answer() {
        let address = serve(|total, bytes| {
            let mut answer = bytes.to_vec();
            if total > 150 {
                answer[0] ^= 1;
            }
            answer
        });
        let failure = EchoGenerator::connect(address, &params()).unwrap().window().unwrap_err();
        assert_eq!(failure.failure, FailureKind::WrongAnswer);
    }

    #[test]
    fn a_server_that_hangs_up_is_a_crash_and_says_so() {
        let address = serve(|total, bytes| if total > 300 { vec![] } else { bytes.to_vec() });
        let failure = EchoGenerator::connect(address, &params()).unwrap().window().unwrap_err();
        assert_eq!(failure, closed());
    }

    #[test]
    fn a_port_without_a_listener_is_a_failure_that_names_the_connection() {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = EchoGenerator::connect(unused, &params()).unwrap_err();
        assert!(failure.reason.starts_with("connection 1 of 3 failed"), "{}", failure.reason);
    }
}
