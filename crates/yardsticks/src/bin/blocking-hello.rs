//! What does a request cost the plainest HTTP server there is? A blocking thread per connection,
//! which looks for the end of a request's head and writes a constant answer.
//!
//! `cargo run --release -p yardsticks --bin blocking-hello -- 127.0.0.1:8080`

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n0123456789abcdef";
/// Nothing in it is deep.
const STACK_BYTES: usize = 64 * 1024;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).expect("give the address to listen on");
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        // Ends when the client hangs up, which is the client's affair.
        thread::Builder::new().stack_size(STACK_BYTES).spawn(move || converse(stream))?;
    }
}

fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        // A head that fills the buffer reads as the end, and so the connection is closed.
        let count = stream.read(&mut buffer[filled..])?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let mut begin = 0;
        while let Some(length) = length_of_head(&buffer[begin..filled]) {
            stream.write_all(ANSWER)?;
            begin += length;
        }
        buffer.copy_within(begin..filled, 0);
        filled -= begin;
    }
}

fn length_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD)?;
    Some(end + END_OF_HEAD.len())
}
