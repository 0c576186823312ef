//! `serve`: one task per connection, and every way of handling a request.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Instant;

use async_std::channel::{self, Receiver, Sender};
use async_std::future;
use async_std::io::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_std::task;
use worker::{How, Serve, pause_after};
use workloads::request::{Answer, Connection, Dispatch, Requests, Step, Work};
use workloads::serve::{Server, ServerParams};

use crate::AsyncStd;

impl Serve<Server> for AsyncStd {
    fn how(_: &ServerParams) -> Option<How> {
        How::fair(
            "one spawned task per connection, handlers inline",
            "https://book.async.rs/patterns/accept-loop.html",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Server>) -> io::Result<()> {
        serve(listener, service.requests(), Heavy::OnPool)
    }
}

/// Where a request is handled that computes for long and leaves it to us.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Heavy {
    /// On the blocking pool.
    OnPool,
    /// In the handler, where it holds up all that waits for the same worker.
    Inline,
}

/// A semaphore, which async-std lacks: a message in the channel for everybody who is in.
struct Permits {
    enter: Sender<()>,
    leave: Receiver<()>,
}

/// Serves until the process ends.
pub(crate) fn serve(
    listener: StdListener,
    requests: &Arc<Requests>,
    heavy: Heavy,
) -> io::Result<()> {
    let requests = Arc::clone(requests);
    task::block_on(task::spawn(async move {
        let listener = TcpListener::from(listener);
        let (enter, leave) = channel::bounded(requests.pool());
        let permits = Arc::new(Permits { enter, leave });
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = requests.admit() {
                        task::spawn(converse(stream, connection, Arc::clone(&permits), heavy));
                    }
                }
                Err(error) => task::sleep(pause_after(&error)).await,
            }
        }
    }))
}

/// Ends when the conversation does, or when the client resets the connection, which is its affair.
async fn converse(
    mut stream: TcpStream,
    mut connection: Connection,
    permits: Arc<Permits>,
    heavy: Heavy,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handle(connection.requests(), work, &permits, heavy).await;
                connection.answer(answer);
            }
            Step::Send => {
                stream.write_all(connection.output()).await?;
                connection.sent();
            }
            Step::Receive => {
                let count = stream.read(connection.space()).await?;
                connection.received(count);
            }
            Step::ReceiveBy(deadline) => {
                let limit = deadline.saturating_duration_since(Instant::now());
                match future::timeout(limit, stream.read(connection.space())).await {
                    Ok(count) => connection.received(count?),
                    Err(_) => connection.expired(),
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

async fn handle(requests: &Arc<Requests>, work: Work, permits: &Permits, heavy: Heavy) -> Answer {
    let block = || {
        let requests = Arc::clone(requests);
        task::spawn_blocking(move || requests.block(work))
    };
    match work.dispatch {
        Dispatch::Auto if work.computes_long() && heavy == Heavy::OnPool => {
            let running = requests.start(work);
            wait(work).await;
            running.finish_with(task::spawn_blocking(move || work.compute()).await)
        }
        Dispatch::Auto | Dispatch::Await => {
            let running = requests.start(work);
            wait(work).await;
            running.finish()
        }
        Dispatch::Inline => requests.block(work),
        Dispatch::Blocking => block().await,
        Dispatch::Pool => {
            permits.enter.send(()).await.expect("the channel stays open");
            let answer = block().await;
            permits.leave.try_recv().expect("this request is in");
            answer
        }
        Dispatch::Rayon => Answer::not_implemented(),
    }
}

async fn wait(work: Work) {
    if !work.wait.is_zero() {
        task::sleep(work.wait).await;
    }
}
