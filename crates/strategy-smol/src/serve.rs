//! `serve`: one task per connection, and every way of handling a request.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use smol::future::FutureExt;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::Semaphore;
use smol::net::{TcpListener, TcpStream};
use smol::{Timer, unblock};
use worker::{How, Serve, pause_after};
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::{EXECUTOR, Smol};

impl Serve<Server> for Smol {
    fn how(_: &ServerParams) -> How {
        How::fair(
            "one spawned task per connection, handlers inline",
            "https://github.com/smol-rs/smol/blob/master/examples/tcp-server.rs",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Server>) -> io::Result<()> {
        serve(listener, service.requests(), Heavy::OnPool { at_once: self.workers })
    }
}

/// Where a request is handled that computes for long and leaves it to us.
#[derive(Clone, Copy)]
pub(crate) enum Heavy {
    /// On the blocking pool, so many at once.
    OnPool { at_once: usize },
    /// In the handler, where it holds up all that waits for the same worker.
    Inline,
}

/// Serves until the process ends.
pub(crate) fn serve(
    listener: StdListener,
    requests: &Arc<Requests>,
    heavy: Heavy,
) -> io::Result<()> {
    let requests = Arc::clone(requests);
    smol::block_on(EXECUTOR.spawn(async move {
        let listener = TcpListener::try_from(listener)?;
        let handlers = Arc::new(Handlers {
            pool: Semaphore::new(requests.pool()),
            computing: match heavy {
                Heavy::OnPool { at_once } => Some(Semaphore::new(at_once)),
                Heavy::Inline => None,
            },
        });
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = requests.admit() {
                        let handlers = Arc::clone(&handlers);
                        EXECUTOR.spawn(converse(stream, connection, handlers)).detach();
                    }
                }
                Err(error) => {
                    Timer::after(pause_after(&error)).await;
                }
            }
        }
    }))
}

/// Ends when the conversation does, or when the client resets the connection, which is its affair.
async fn converse(
    mut stream: TcpStream,
    mut connection: Connection,
    handlers: Arc<Handlers>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handlers.handle(connection.requests(), work).await;
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
                let expired = async {
                    Timer::at(deadline).await;
                    Ok(None)
                };
                let received = async { stream.read(connection.space()).await.map(Some) };
                match received.or(expired).await? {
                    Some(count) => connection.received(count),
                    None => connection.expired(),
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

/// What the handlers of a service share.
struct Handlers {
    /// A permit for each thread of the bounded pool.
    pool: Semaphore,
    /// A permit for each long computation at once on the blocking pool; `None` to compute in the handler.
    computing: Option<Semaphore>,
}

impl Handlers {
    async fn handle(&self, requests: &Arc<Requests>, work: Work) -> Answer {
        let block = || {
            let requests = Arc::clone(requests);
            unblock(move || requests.block(work))
        };
        match (work.dispatch, &self.computing) {
            (Dispatch::Auto, Some(computing)) if work.computes_long() => {
                let running = requests.start(work);
                wait(work).await;
                let _permit = computing.acquire().await;
                running.finish_with(unblock(move || work.compute()).await)
            }
            (Dispatch::Auto | Dispatch::Await, _) => {
                let running = requests.start(work);
                wait(work).await;
                running.finish()
            }
            (Dispatch::Inline, _) => requests.block(work),
            (Dispatch::Blocking | Dispatch::Call, _) => block().await,
            (Dispatch::Pool, _) => {
                let _permit = self.pool.acquire().await;
                block().await
            }
            (Dispatch::Rayon, _) => Answer::not_implemented(),
        }
    }
}

async fn wait(work: Work) {
    if !work.wait.is_zero() {
        Timer::after(work.wait).await;
    }
}
