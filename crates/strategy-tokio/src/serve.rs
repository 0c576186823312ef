//! `serve`: one task per connection; `endpoints` and `mixed` are served by the same code.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout_at};
use worker::{How, Serve, pause_after};
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::Tokio;

impl Serve<Server> for Tokio {
    fn how(_: &ServerParams) -> How {
        How::fair(
            "one spawned task per connection, waits on tokio::time::sleep",
            "https://tokio.rs/tokio/tutorial/io",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Server>) -> io::Result<()> {
        self.serve_http(listener, service.requests(), Heavy::OnPool { at_once: self.workers() })
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

impl Tokio {
    pub(crate) fn workers(&self) -> usize {
        self.runtime.metrics().num_workers()
    }

    /// Serves until the process ends.
    pub(crate) fn serve_http(
        &self,
        listener: StdListener,
        requests: &Arc<Requests>,
        heavy: Heavy,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let handlers = Arc::new(Handlers {
            computing: match heavy {
                Heavy::OnPool { at_once } => Some(Semaphore::new(at_once)),
                Heavy::Inline => None,
            },
            pool: Semaphore::new(requests.pool()),
        });
        self.runtime.block_on(self.runtime.spawn(accept(
            listener,
            Arc::clone(requests),
            handlers,
        )))?
    }
}

async fn accept(
    listener: StdListener,
    requests: Arc<Requests>,
    handlers: Arc<Handlers>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(connection) = requests.admit() {
                    tokio::spawn(converse(stream, connection, Arc::clone(&handlers)));
                }
            }
            Err(error) => sleep(pause_after(&error)).await,
        }
    }
}

/// Ends when the client hangs up or resets the connection, which is the client's affair.
async fn converse(
    mut stream: TcpStream,
    mut connection: Connection,
    handlers: Arc<Handlers>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handlers.handle(connection.requests(), work).await?;
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
                match timeout_at(deadline.into(), stream.read(connection.space())).await {
                    Ok(count) => connection.received(count?),
                    Err(_) => connection.expired(),
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

/// What the handlers of a service share.
struct Handlers {
    /// A permit for each long computation at once on the blocking pool; `None` to compute in the handler.
    computing: Option<Semaphore>,
    /// A permit for each thread of the bounded pool.
    pool: Semaphore,
}

impl Handlers {
    async fn handle(&self, requests: &Arc<Requests>, work: Work) -> io::Result<Answer> {
        match (work.dispatch, &self.computing) {
            (Dispatch::Auto, Some(computing)) if work.computes_long() => {
                let running = requests.start(work);
                wait(work).await;
                let _permit = computing.acquire().await.map_err(io::Error::other)?;
                Ok(running.finish_with(spawn_blocking(move || work.compute()).await?))
            }
            (Dispatch::Auto | Dispatch::Await, _) => {
                let running = requests.start(work);
                wait(work).await;
                Ok(running.finish())
            }
            (Dispatch::Inline, _) => Ok(requests.block(work)),
            (Dispatch::Blocking | Dispatch::Call, _) => block(requests, work).await,
            (Dispatch::Pool, _) => {
                let _permit = self.pool.acquire().await.map_err(io::Error::other)?;
                block(requests, work).await
            }
            (Dispatch::Rayon, _) => Ok(Answer::not_implemented()),
        }
    }
}

async fn wait(work: Work) {
    if !work.wait.is_zero() {
        sleep(work.wait).await;
    }
}

async fn block(requests: &Arc<Requests>, work: Work) -> io::Result<Answer> {
    let requests = Arc::clone(requests);
    Ok(spawn_blocking(move || requests.block(work)).await?)
}
