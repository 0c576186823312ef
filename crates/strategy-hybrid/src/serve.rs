//! `serve`: one task per connection; what computes for long goes to rayon.

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
use workloads::service::{Answer, Connection, Dispatch, Requests, Running, Step, Work};

use crate::Hybrid;
use crate::bridge::Cpu;

impl Serve<Server> for Hybrid {
    fn how(_: &ServerParams) -> How {
        How::fair(
            "one spawned task per connection on tokio's half of the workers, long computing \
             handed to rayon's",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Server>) -> io::Result<()> {
        self.serve_http(listener, service.requests())
    }
}

impl Hybrid {
    /// The HTTP server behind every service.
    pub(crate) fn serve_http(
        &self,
        listener: StdListener,
        requests: &Arc<Requests>,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let pools = Pools { cpu: self.cpu.clone(), permits: Semaphore::new(requests.pool()) };
        let accepting = accept(listener, Arc::clone(requests), Arc::new(pools));
        self.io.block_on(self.io.spawn(accepting))?
    }
}

/// Where handlers compute, and how many may block at once.
struct Pools {
    cpu: Cpu,
    permits: Semaphore,
}

async fn accept(
    listener: StdListener,
    requests: Arc<Requests>,
    pools: Arc<Pools>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(connection) = requests.admit() {
                    tokio::spawn(converse(stream, connection, Arc::clone(&pools)));
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
    pools: Arc<Pools>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match connection.next() {
            Step::Handle(work) => {
                let answer = handle(connection.requests(), work, &pools).await?;
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

async fn handle(requests: &Arc<Requests>, work: Work, pools: &Pools) -> io::Result<Answer> {
    let dispatch = match work.dispatch {
        Dispatch::Auto if work.computes_long() => Dispatch::Rayon,
        Dispatch::Auto => Dispatch::Await,
        other => other,
    };
    Ok(match dispatch {
        Dispatch::Auto | Dispatch::Await => wait(requests, work).await.finish(),
        Dispatch::Rayon => {
            let running = wait(requests, work).await;
            running.finish_with(pools.cpu.compute(move || work.compute()).await?)
        }
        Dispatch::Inline => requests.block(work),
        Dispatch::Blocking | Dispatch::Call => block(requests, work).await?,
        Dispatch::Pool => {
            let _permit = pools.permits.acquire().await.map_err(io::Error::other)?;
            block(requests, work).await?
        }
    })
}

async fn wait(requests: &Requests, work: Work) -> Running<'_> {
    let running = requests.start(work);
    if !work.wait.is_zero() {
        sleep(work.wait).await;
    }
    running
}

async fn block(requests: &Arc<Requests>, work: Work) -> io::Result<Answer> {
    let requests = Arc::clone(requests);
    Ok(spawn_blocking(move || requests.block(work)).await?)
}
