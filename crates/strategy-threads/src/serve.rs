//! `serve`: one thread per connection, blocking; `endpoints` and `mixed` are served the same way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use machine::check_threads;
use worker::{How, Serve, pause_after};
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::Threads;
use crate::pool::Pool;

impl Serve<Server> for Threads {
    fn how(_: &ServerParams) -> How {
        How::fair(
            "one thread per connection, blocking reads, waits and writes",
            "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
        )
    }

    fn ready(&self, service: &Arc<Server>) -> io::Result<()> {
        check(service.requests())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Server>) -> io::Result<()> {
        self.accept(&listener, service.requests())
    }
}

/// Refuses when the threads of all connections and of the bounded pool do not fit.
pub(crate) fn check(requests: &Requests) -> io::Result<()> {
    check_threads((requests.max_connections() + requests.pool()) as u64)
}

impl Threads {
    /// Starts a thread for every connection that is admitted; one that gets none is closed.
    pub(crate) fn accept(&self, listener: &TcpListener, requests: &Arc<Requests>) -> ! {
        loop {
            let accepted = listener.accept().and_then(|(stream, _)| {
                let Some(connection) = requests.admit() else { return Ok(()) };
                let pool = Arc::clone(&self.pool);
                thread::Builder::new().spawn(move || converse(stream, connection, &pool)).map(drop)
            });
            if let Err(error) = accepted {
                thread::sleep(pause_after(&error));
            }
        }
    }
}

/// Ends with an error when the client resets the connection, which is the client's affair.
fn converse(
    mut stream: TcpStream,
    mut connection: Connection,
    pool: &OnceLock<Pool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handle(connection.requests(), work, pool);
                connection.answer(answer);
            }
            Step::Send => {
                stream.write_all(connection.output())?;
                connection.sent();
            }
            Step::Receive => {
                let count = stream.read(connection.space())?;
                connection.received(count);
            }
            Step::ReceiveBy(deadline) => {
                match read_by(&mut stream, connection.space(), deadline)? {
                    Some(count) => connection.received(count),
                    None => connection.expired(),
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

/// The connection's own thread may wait and compute as long as it likes.
fn handle(requests: &Arc<Requests>, work: Work, pool: &OnceLock<Pool>) -> Answer {
    match work.dispatch {
        Dispatch::Auto | Dispatch::Inline | Dispatch::Call => requests.block(work),
        Dispatch::Pool => {
            let pool = pool.get_or_init(|| Pool::new(requests.pool()));
            let requests = Arc::clone(requests);
            pool.call(move || requests.block(work))
        }
        Dispatch::Await | Dispatch::Blocking | Dispatch::Rayon => Answer::not_implemented(),
    }
}

/// Reads with a time limit, which other reads do without; `None` when it is over.
fn read_by(
    stream: &mut TcpStream,
    space: &mut [u8],
    deadline: Instant,
) -> io::Result<Option<usize>> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(None);
    }
    stream.set_read_timeout(Some(left))?;
    let read = stream.read(space);
    stream.set_read_timeout(None)?;
    match read {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        read => read.map(Some),
    }
}
