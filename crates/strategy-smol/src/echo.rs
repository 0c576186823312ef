//! `echo`: one task per connection.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use smol::Timer;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::{EXECUTOR, Smol};

impl Serve<Echo> for Smol {
    fn how(_: &EchoParams) -> How {
        How::fair(
            "one spawned task per connection",
            "https://github.com/smol-rs/smol/blob/master/examples/tcp-server.rs",
        )
    }

    fn serve(&self, listener: StdListener, service: &Arc<Echo>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let service = Arc::clone(service);
        smol::block_on(EXECUTOR.spawn(async move {
            let listener = TcpListener::try_from(listener)?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        if let Some(admission) = service.admit() {
                            EXECUTOR.spawn(echo(stream, admission)).detach();
                        }
                    }
                    Err(error) => {
                        Timer::after(pause_after(&error)).await;
                    }
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
