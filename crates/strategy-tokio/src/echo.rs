//! `echo`: one task per connection.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::Tokio;

impl Serve<Echo> for Tokio {
    fn how(_: &EchoParams) -> How {
        How::fair("one spawned task per connection", "https://tokio.rs/tokio/tutorial/io")
    }

    fn serve(&self, listener: StdListener, service: &Arc<Echo>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        self.runtime.block_on(self.runtime.spawn(accept(listener, Arc::clone(service))))?
    }
}

async fn accept(listener: StdListener, service: Arc<Echo>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(admission) = service.admit() {
                    tokio::spawn(echo(stream, admission));
                }
            }
            Err(error) => tokio::time::sleep(pause_after(&error)).await,
        }
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
