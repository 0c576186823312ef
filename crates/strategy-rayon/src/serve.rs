//! `serve`: a pool sized to the connections, a job per connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use worker::{How, Serve, pause_after};
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::{Rayon, within_max_pool};

impl Serve<Server> for Rayon {
    fn how(params: &ServerParams) -> How {
        within_max_pool(
            params.connections,
            How::off_label(
                "a pool with one thread per connection, each blocking, and one for long computing; \
                 rayon is made for the latter: threads without work search each other's queues, so \
                 that connections are cheap only while they are kept",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.in_place_scope",
            ),
        )
    }

    fn ready(&self, service: &Arc<Server>) -> io::Result<()> {
        self.build_waiting(service.requests().max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Server>) -> io::Result<()> {
        serve(self.waiting()?, &listener, service.requests(), |requests, work| {
            handle(self, requests, work)
        })
    }
}

/// Serves with a job in `pool`, and so one of its threads, for every connection.
pub(crate) fn serve(
    pool: &ThreadPool,
    listener: &TcpListener,
    requests: &Arc<Requests>,
    handle: impl Fn(&Arc<Requests>, Work) -> Answer + Sync,
) -> io::Result<()> {
    let handle = &handle;
    pool.in_place_scope(|scope| {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some(connection) = requests.admit() {
                        scope.spawn(move |_| {
                            // Ends when the client hangs up, which is the client's affair.
                            let _ = converse(stream, connection, handle);
                        });
                    }
                }
                Err(error) => thread::sleep(pause_after(&error)),
            }
        }
    })
}

fn converse(
    mut stream: TcpStream,
    mut connection: Connection,
    handle: impl Fn(&Arc<Requests>, Work) -> Answer,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
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
            Step::Receive => receive(&mut stream, &mut connection)?,
            Step::ReceiveBy(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                // Zero would mean no limit.
                stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
                receive(&mut stream, &mut connection)?;
                stream.set_read_timeout(None)?;
            }
            Step::Close => return Ok(()),
        }
    }
}

fn receive(stream: &mut TcpStream, connection: &mut Connection) -> io::Result<()> {
    match stream.read(connection.space()) {
        Ok(count) => connection.received(count),
        Err(error) => match error.kind() {
            ErrorKind::Interrupted => {}
            ErrorKind::WouldBlock | ErrorKind::TimedOut => connection.expired(),
            _ => return Err(error),
        },
    }
    Ok(())
}

/// Waits in the connection's own thread, and leaves what computes for long to the pool that has as
/// many threads as there are workers.
pub(crate) fn handle(rayon: &Rayon, requests: &Arc<Requests>, work: Work) -> Answer {
    match work.dispatch {
        Dispatch::Auto | Dispatch::Call if work.computes_long() => {
            wait_then_compute(rayon, requests, work)
        }
        Dispatch::Auto | Dispatch::Inline | Dispatch::Call => requests.block(work),
        Dispatch::Rayon => wait_then_compute(rayon, requests, work),
        Dispatch::Pool => block_in(rayon.bounded(requests.pool()), requests, work),
        Dispatch::Await | Dispatch::Blocking => Answer::not_implemented(),
    }
}

fn wait_then_compute(rayon: &Rayon, requests: &Requests, work: Work) -> Answer {
    let running = requests.start(work);
    thread::sleep(work.wait);
    running.finish_with(hand_over(&rayon.pool, move || work.compute()))
}

/// Waits and computes in a job in another pool.
pub(crate) fn block_in(pool: &ThreadPool, requests: &Arc<Requests>, work: Work) -> Answer {
    let requests = Arc::clone(requests);
    hand_over(pool, move || requests.block(work))
}

/// Waits for a job in another pool. Not by `install`, which would have the calling thread take up
/// the next connection in the meantime and come back to this one when that one has been closed.
fn hand_over<T: Send + 'static>(pool: &ThreadPool, job: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::sync_channel(1);
    pool.spawn(move || {
        let _ = sender.send(job());
    });
    receiver.recv().expect("the job sends its result")
}
