//! `echo`: one task per connection.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use async_std::io::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_std::task;
use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::AsyncStd;

impl Serve<Echo> for AsyncStd {
    fn how(_: &EchoParams) -> How {
        How::fair(
            "one spawned task per connection",
            "https://book.async.rs/patterns/accept-loop.html",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Echo>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let service = Arc::clone(service);
        task::block_on(task::spawn(async move {
            let listener = TcpListener::from(listener);
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        if let Some(admission) = service.admit() {
                            task::spawn(echo(stream, admission));
                        }
                    }
                    Err(error) => task::sleep(pause_after(&error)).await,
                }
            }
        }))
    }
}

/// Ends when the client hangs up or resets the connection, which is the client's affair.
async fn echo(mut stream: TcpStream, admission: Admission) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = admission.buffer();
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        admission.note();
        stream.write_all(&buffer[..count]).await?;
    }
}
