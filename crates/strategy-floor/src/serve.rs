//! `serve`: one connection after the other, or a readiness loop over all of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use load::readiness;
use worker::{How, Serve, pause_after};
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::{EventLoop, Sequential};

impl Serve<Server> for Sequential {
    fn how(params: &ServerParams) -> How {
        match params.connections {
            1 => How::floor(
                "one connection after the other, blocking",
                "https://doc.rust-lang.org/std/net/struct.TcpListener.html",
            ),
            _ => How::unsupported(SECOND_WAITS),
        }
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Server>) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some(connection) = service.requests().admit() {
                        // An error ends this connection only, which is the client's affair.
                        let _ = converse(stream, connection);
                    }
                }
                Err(error) => thread::sleep(pause_after(&error)),
            }
        }
    }
}

/// Why one connection after the other is no way to serve several that stay open.
pub(crate) const SECOND_WAITS: &str =
    "one connection after the other: the second would wait forever, for all of them stay open";

fn converse(mut stream: TcpStream, mut connection: Connection) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut limited = false;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handle(connection.requests(), work);
                connection.answer(answer);
            }
            Step::Send => {
                stream.write_all(connection.output())?;
                connection.sent();
            }
            Step::Receive => {
                if limited {
                    stream.set_read_timeout(None)?;
                    limited = false;
                }
                let count = stream.read(connection.space())?;
                connection.received(count);
            }
            Step::ReceiveBy(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    connection.expired();
                    continue;
                }
                stream.set_read_timeout(Some(left))?;
                limited = true;
                match stream.read(connection.space()) {
                    Ok(count) => connection.received(count),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => connection.expired(),
                    Err(error) => return Err(error),
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

fn handle(requests: &Requests, work: Work) -> Answer {
    match work.dispatch {
        Dispatch::Auto | Dispatch::Inline | Dispatch::Call => requests.block(work),
        _ => Answer::not_implemented(),
    }
}

impl Serve<Server> for EventLoop {
    fn how(_: &ServerParams) -> How {
        How::floor(
            "one thread, one edge-triggered readiness loop, waits in a heap of deadlines; one thread \
             however many are granted",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Server>) -> io::Result<()> {
        readiness::serve(listener, service.requests())
    }
}
