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
use workloads::request::{Answer, Connection, Dispatch, Requests, Step, Work};
use workloads::serve::{Server, ServerParams};

use crate::{EXECUTOR, Smol};

impl Serve<Server> for Smol {
    fn how(_: &ServerParams) -> Option<How> {
        How::fair(
            "one spawned task per connection, handlers inline",
            "https://github.com/smol-rs/smol/blob/master/examples/tcp-server.rs",
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

/// Serves until the process ends.
pub(crate) fn serve(
    listener: StdListener,
    requests: &Arc<Requests>,
    heavy: Heavy,
) -> io::Result<()> {
    let requests = Arc::clone(requests);
    smol::block_on(EXECUTOR.spawn(async move {
        let listener = TcpListener::try_from(listener)?;
        let pool = Arc::new(Semaphore::new(requests.pool()));
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = requests.admit() {
                        let pool = Arc::clone(&pool);
                        EXECUTOR.spawn(converse(stream, connection, pool, heavy)).detach();
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
    pool: Arc<Semaphore>,
    heavy: Heavy,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handle(connection.requests(), work, &pool, heavy).await;
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

async fn handle(requests: &Arc<Requests>, work: Work, pool: &Semaphore, heavy: Heavy) -> Answer {
    let block = || {
        let requests = Arc::clone(requests);
        unblock(move || requests.block(work))
    };
    match work.dispatch {
        Dispatch::Auto if work.computes_long() && heavy == Heavy::OnPool => {
            let running = requests.start(work);
            wait(work).await;
            running.finish_with(unblock(move || work.compute()).await)
        }
        Dispatch::Auto | Dispatch::Await => {
            let running = requests.start(work);
            wait(work).await;
            running.finish()
        }
        Dispatch::Inline => requests.block(work),
        Dispatch::Blocking => block().await,
        Dispatch::Pool => {
            let _permit = pool.acquire().await;
            block().await
        }
        Dispatch::Rayon => Answer::not_implemented(),
    }
}

async fn wait(work: Work) {
    if !work.wait.is_zero() {
        Timer::after(work.wait).await;
    }
}
