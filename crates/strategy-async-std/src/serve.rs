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
use workloads::serve::{Server, ServerParams};
use workloads::service::{Answer, Connection, Dispatch, Requests, Step, Work};

use crate::AsyncStd;

impl Serve<Server> for AsyncStd {
    fn how(_: &ServerParams) -> How {
        How::fair(
            "one spawned task per connection, handlers inline",
            "https://book.async.rs/patterns/accept-loop.html",
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

/// A semaphore, which async-std lacks: a message in the channel for each permit that is taken.
struct Permits {
    enter: Sender<()>,
    leave: Receiver<()>,
}

impl Permits {
    fn new(at_once: usize) -> Self {
        let (enter, leave) = channel::bounded(at_once);
        Permits { enter, leave }
    }

    /// What `inside` yields, with no more than the number of permits inside at once.
    async fn hold<T>(&self, inside: impl Future<Output = T>) -> T {
        self.enter.send(()).await.expect("the channel stays open");
        let result = inside.await;
        self.leave.try_recv().expect("this request is in");
        result
    }
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
        let handlers = Arc::new(Handlers {
            pool: Permits::new(requests.pool()),
            computing: match heavy {
                Heavy::OnPool { at_once } => Some(Permits::new(at_once)),
                Heavy::Inline => None,
            },
        });
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = requests.admit() {
                        task::spawn(converse(stream, connection, Arc::clone(&handlers)));
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

/// What the handlers of a service share.
struct Handlers {
    /// A permit for each thread of the bounded pool.
    pool: Permits,
    /// A permit for each long computation at once on the blocking pool; `None` to compute in the handler.
    computing: Option<Permits>,
}

impl Handlers {
    async fn handle(&self, requests: &Arc<Requests>, work: Work) -> Answer {
        let block = || {
            let requests = Arc::clone(requests);
            task::spawn_blocking(move || requests.block(work))
        };
        match (work.dispatch, &self.computing) {
            (Dispatch::Auto, Some(computing)) if work.computes_long() => {
                let running = requests.start(work);
                wait(work).await;
                let computed = async { task::spawn_blocking(move || work.compute()).await };
                running.finish_with(computing.hold(computed).await)
            }
            (Dispatch::Auto | Dispatch::Await, _) => {
                let running = requests.start(work);
                wait(work).await;
                running.finish()
            }
            (Dispatch::Inline, _) => requests.block(work),
            (Dispatch::Blocking | Dispatch::Call, _) => block().await,
            (Dispatch::Pool, _) => self.pool.hold(async { block().await }).await,
            (Dispatch::Rayon, _) => Answer::not_implemented(),
        }
    }
}

async fn wait(work: Work) {
    if !work.wait.is_zero() {
        task::sleep(work.wait).await;
    }
}
