//! `echo`: a pool sized to the connections, a job per connection.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::{Rayon, within_max_pool};

impl Serve<Echo> for Rayon {
    fn how(params: &EchoParams) -> How {
        within_max_pool(
            params.connections,
            How::off_label(
                "a pool with one thread per connection, each blocking; rayon is made for computing",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.spawn",
            ),
        )
    }

    fn ready(&self, service: &Arc<Echo>) -> io::Result<()> {
        self.build_waiting(service.max_connections())
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Echo>) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some(admission) = service.admit() {
                        self.waiting()?.spawn(move || {
                            // Ends when the client hangs up, which is the client's affair.
                            let _ = echo(stream, &admission);
                        });
                    }
                }
                Err(error) => thread::sleep(pause_after(&error)),
            }
        }
    }
}

fn echo(mut stream: TcpStream, admission: &Admission) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = admission.buffer();
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        admission.note();
        stream.write_all(&buffer[..count])?;
    }
}
