//! `echo`: one thread per connection, blocking.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use machine::check_threads;
use worker::{How, Serve, pause_after};
use workloads::echo::{Admission, Echo, EchoParams};

use crate::Threads;

impl Serve<Echo> for Threads {
    fn how(_: &EchoParams) -> How {
        How::fair(
            "one thread per connection, blocking reads and writes",
            "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
        )
    }

    fn ready(&self, service: &Arc<Echo>) -> io::Result<()> {
        check_threads(service.max_connections() as u64)
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Echo>) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some(admission) = service.admit() {
                        thread::Builder::new().spawn(move || echo(stream, &admission))?;
                    }
                }
                Err(error) => thread::sleep(pause_after(&error)),
            }
        }
    }
}

/// Ends when the client hangs up or resets the connection, which is the client's affair.
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
