//! `echo`: one connection after the other, or a readiness loop over all of them.

use std::io::{self, Read, Write};
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::{EventLoop, Sequential};

impl Serve<Echo> for Sequential {
    fn how(params: &EchoParams) -> How {
        match params.connections {
            1 => How::floor(
                "one connection after the other, blocking",
                "https://doc.rust-lang.org/std/net/struct.TcpListener.html",
            ),
            _ => How::unsupported("one connection after the other: the second would wait forever"),
        }
    }

    fn serve(&self, listener: StdListener, service: &Arc<Echo>) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    let Some(admission) = service.admit() else { continue };
                    if stream.set_nodelay(true).is_err() {
                        continue;
                    }
                    let mut buffer = admission.buffer();
                    // An error ends this connection only, which is the client's affair.
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        admission.note();
                        if stream.write_all(&buffer[..count]).is_err() {
                            break;
                        }
                    }
                }
                Err(error) => thread::sleep(pause_after(&error)),
            }
        }
    }
}

const LISTENER: Token = Token(usize::MAX);

impl Serve<Echo> for EventLoop {
    fn how(_: &EchoParams) -> How {
        How::floor(
            "one thread, one edge-triggered readiness loop",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Echo>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let mut poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut events = Events::with_capacity(1024);
        let mut connections: Vec<Option<Connection>> = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        loop {
            match poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    accept(&mut listener, service, &poll, &mut connections, &mut free)?;
                    continue;
                }
                let index = event.token().0;
                let Some(connection) = &mut connections[index] else { continue };
                if connection.advance(event.is_read_closed()).is_err() {
                    connections[index] = None;
                    free.push(index);
                }
            }
        }
    }
}

fn accept(
    listener: &mut TcpListener,
    service: &Arc<Echo>,
    poll: &Poll,
    connections: &mut Vec<Option<Connection>>,
    free: &mut Vec<usize>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => {
                thread::sleep(pause_after(&error));
                // Only those who are connected can give files back, so it is their turn first.
                return poll.registry().reregister(listener, LISTENER, Interest::READABLE);
            }
        };
        let Some(admission) = service.admit() else { continue };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let index = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(index), interest)?;
        let buffer = admission.buffer();
        connections[index] = Some(Connection { stream, admission, buffer, filled: 0, written: 0 });
    }
}

struct Connection {
    stream: TcpStream,
    admission: Admission,
    buffer: Vec<u8>,
    filled: usize,
    written: usize,
}

impl Connection {
    /// Reads and writes until the socket is not ready; an error means that the connection is over.
    fn advance(&mut self, read_closed: bool) -> io::Result<()> {
        let mut drained = false;
        loop {
            while self.written < self.filled {
                match self.stream.write(&self.buffer[self.written..self.filled]) {
                    Ok(count) => self.written += count,
                    Err(error) => return wait_or_end(error),
                }
            }
            // A short read has emptied the socket, and the next byte raises a new event; but an end
            // that came together with the bytes does not.
            if drained && !read_closed {
                return Ok(());
            }
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.admission.note();
                    (self.filled, self.written) = (count, 0);
                    drained = count < self.buffer.len();
                }
                Err(error) => return wait_or_end(error),
            }
        }
    }
}

fn wait_or_end(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(()),
        _ => Err(error),
    }
}
