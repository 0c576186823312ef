//! One thread with a readiness loop that serves HTTP: the latency backend, and what the floor is made of.
//!
//! Sockets report a change once (edge-triggered), so what an event said is kept until it has been used
//! up, and a peer that stops early asks to be told again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Write};
use std::mem;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use workloads::service::{Answer, Connection, Dispatch, Requests, Running, Step, Work};

use machine::Alarm;
use workloads::pause_after;

const LISTENER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);
/// How late a timer may be, so that those that end almost together cost one wake-up.
const SLACK: Duration = Duration::from_micros(20);
/// Reads of one connection, and connections accepted, before it is others' turn: a client that sends as
/// fast as it is served would otherwise be the only one served.
const TURN: usize = 16;

/// Serves until the listener fails. Waits are timers; computing and blocking hold up all clients, which
/// is what one thread without a model can do.
///
/// # Errors
/// If the system refuses what the loop needs.
pub fn serve(listener: StdListener, requests: &Arc<Requests>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let alarm = Alarm::new()?;
    alarm.register(&registry, ALARM)?;
    registry.register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        requests,
        listener,
        registry,
        slots: Vec::new(),
        free: Vec::new(),
        timers: BinaryHeap::new(),
    };
    let mut events = Events::with_capacity(1024);
    let mut set_for: Option<Instant> = None;
    loop {
        server.fire()?;
        let next = server.timers.peek().map(|Reverse((due, _))| *due);
        if next != set_for {
            if let Some(due) = next {
                alarm.set((due + SLACK).saturating_duration_since(Instant::now()))?;
            }
            set_for = next;
        }
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                // The alarm has rung: set it again even for the same moment.
                ALARM => set_for = None,
                Token(number) => server.notice(number, event),
            }
        }
    }
}

struct Server<'a> {
    requests: &'a Arc<Requests>,
    listener: TcpListener,
    registry: Registry,
    slots: Vec<Slot<'a>>,
    free: Vec<usize>,
    /// What is due when, the earliest first.
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
}

/// What is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The handler of this peer has waited long enough. Until then the peer keeps its place.
    Wait(usize),
    /// The peer that has this place may have kept us waiting for the rest of a request for too long.
    Patience(usize),
    /// There may be files again for another connection.
    Accept,
}

/// A place for a peer.
#[derive(Default)]
struct Slot<'a> {
    peer: Option<Peer<'a>>,
    /// Whether a [`Timer::Patience`] is set. One is enough, however often the place changes hands:
    /// the patience with each is the same, so it comes no later than any that is asked for after it.
    watched: bool,
}

struct Peer<'a> {
    stream: TcpStream,
    connection: Connection,
    written: usize,
    running: Option<Running<'a>>,
    /// Whether the socket may hold something to read.
    readable: bool,
    /// Whether an event has said that the client sends no more: nothing will say so again.
    ended: bool,
}

impl Server<'_> {
    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..TURN {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => match pause_after(&error) {
                    Duration::ZERO => {}
                    // Those who are connected are served meanwhile: only they can give files back.
                    pause => {
                        self.timers.push(Reverse((Instant::now() + pause, Timer::Accept)));
                        return Ok(());
                    }
                },
            }
        }
        self.accept_again()
    }

    fn accept_again(&mut self) -> io::Result<()> {
        self.registry.reregister(&mut self.listener, LISTENER, Interest::READABLE)
    }

    /// The first event tells that the socket can be written, and whether something has come.
    fn admit(&mut self, mut stream: TcpStream) {
        let Some(connection) = self.requests.admit() else { return };
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        // Without it an answer may wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut stream, Token(number), interest).is_err() {
            self.free.push(number);
            return;
        }
        self.slots[number].peer = Some(Peer {
            stream,
            connection,
            written: 0,
            running: None,
            readable: false,
            ended: false,
        });
    }

    /// Does what is due.
    fn fire(&mut self) -> io::Result<()> {
        if self.timers.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        while let Some(&Reverse((due, timer))) = self.timers.peek()
            && due <= now
        {
            self.timers.pop();
            match timer {
                Timer::Wait(number) => {
                    if let Some(peer) = &mut self.slots[number].peer
                        && let Some(running) = peer.running.take()
                    {
                        peer.connection.answer(running.finish());
                    }
                    self.drive(number);
                }
                Timer::Patience(number) => {
                    let slot = &mut self.slots[number];
                    slot.watched = false;
                    if let Some(peer) = &mut slot.peer {
                        // What came while others were served came in time.
                        peer.readable = true;
                    }
                    self.drive(number);
                }
                Timer::Accept => self.accept_again()?,
            }
        }
        Ok(())
    }

    /// Takes note of what an event says and acts on it.
    fn notice(&mut self, number: usize, event: &Event) {
        let Some(peer) = &mut self.slots[number].peer else { return };
        peer.ended |= event.is_read_closed();
        peer.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.drive(number);
    }

    /// Does what a connection says until it has to wait.
    fn drive(&mut self, number: usize) {
        let slot = &mut self.slots[number];
        let Some(peer) = &mut slot.peer else { return };
        match peer.advance(self.requests) {
            Pause::Event => {}
            Pause::Turn => {
                let interest = Interest::READABLE | Interest::WRITABLE;
                if self.registry.reregister(&mut peer.stream, Token(number), interest).is_err() {
                    self.close(number);
                }
            }
            Pause::Wait(due) => self.timers.push(Reverse((due, Timer::Wait(number)))),
            Pause::Rest(due) => {
                if !mem::replace(&mut slot.watched, true) {
                    self.timers.push(Reverse((due, Timer::Patience(number))));
                }
            }
            Pause::Closed => self.close(number),
        }
    }

    fn close(&mut self, number: usize) {
        self.slots[number].peer = None;
        self.free.push(number);
    }
}

/// What a connection waits for.
enum Pause {
    Event,
    /// That others have had their turn.
    Turn,
    /// The end of the handler's wait.
    Wait(Instant),
    /// The rest of a request, until then.
    Rest(Instant),
    Closed,
}

impl<'a> Peer<'a> {
    fn advance(&mut self, requests: &'a Requests) -> Pause {
        if self.running.is_some() {
            return Pause::Event;
        }
        let mut reads = 0;
        loop {
            match self.connection.next() {
                Step::Handle(work) => match handle(work) {
                    Handling::Now => self.connection.answer(requests.block(work)),
                    Handling::Timer => {
                        self.running = Some(requests.start(work));
                        return Pause::Wait(Instant::now() + work.wait);
                    }
                    Handling::Never => self.connection.answer(Answer::not_implemented()),
                },
                Step::Send => {
                    match self.stream.write(&self.connection.output()[self.written..]) {
                        Ok(0) => return Pause::Closed,
                        Ok(count) => self.written += count,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            return Pause::Event;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return Pause::Closed,
                    }
                    if self.written == self.connection.output().len() {
                        self.written = 0;
                        self.connection.sent();
                    }
                }
                Step::Receive | Step::ReceiveBy(_) if self.readable => {
                    if reads == TURN {
                        return Pause::Turn;
                    }
                    reads += 1;
                    let space = self.connection.space();
                    let room = space.len();
                    match self.stream.read(space) {
                        Ok(count) => {
                            // A read that does not fill its space has emptied the socket, unless its
                            // end is in it.
                            self.readable = count == room || self.ended;
                            self.connection.received(count);
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            self.readable = false;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return Pause::Closed,
                    }
                }
                Step::Receive => return Pause::Event,
                Step::ReceiveBy(deadline) if deadline <= Instant::now() => {
                    self.connection.expired();
                }
                Step::ReceiveBy(deadline) => return Pause::Rest(deadline),
                Step::Close => return Pause::Closed,
            }
        }
    }
}

enum Handling {
    Now,
    Timer,
    Never,
}

fn handle(work: Work) -> Handling {
    match work.dispatch {
        Dispatch::Inline => Handling::Now,
        Dispatch::Auto | Dispatch::Await if work.wait == Duration::ZERO => Handling::Now,
        Dispatch::Auto | Dispatch::Await => Handling::Timer,
        Dispatch::Blocking | Dispatch::Pool | Dispatch::Rayon | Dispatch::Call => Handling::Never,
    }
}

#[cfg(test)]
mod tests;
