//! What clients may do to an echo server, and what must not come of it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::server::Server;

/// Panics unless `program serve echo`, with these arguments more, stands what clients do to it: floods,
/// half-closed connections, resets, and more connections than it admits.
///
/// # Panics
/// With what it did not stand.
pub fn assert_serves(program: &Path, arguments: &[&str]) {
    let connections = format!("connections={CONNECTIONS}");
    let arguments = [&["--param", &connections], arguments].concat();
    let server = Server::start(program, "echo", &arguments);
    let message = b"anything at all, such as \x00\xff or GET / HTTP/1.1\r\n";

    let mut open: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for stream in &mut open {
        assert_eq!(echoed(stream, message), message, "an open connection is served");
    }
    let mut refused = server.connect();
    let _ = refused.write_all(message);
    let refusal = refused.read(&mut [0; 64]);
    assert!(!matches!(refusal, Ok(1..)), "one connection too many is closed, not {refusal:?}");
    for stream in &mut open {
        assert_eq!(echoed(stream, message), message, "a refusal does no harm to the others");
    }

    // Unread replies make the closing a reset.
    let resetting = open.pop().expect("connections are open");
    (&resetting).write_all(message).expect("the server reads");
    thread::sleep(Duration::from_millis(20));
    drop(resetting);
    let mut half_closed = connect_again(&server);
    half_closed.write_all(message).expect("the server reads");
    half_closed.shutdown(Shutdown::Write).expect("the connection is open");
    let mut rest = Vec::new();
    half_closed.read_to_end(&mut rest).expect("the server closes in its turn");
    assert_eq!(rest, message, "what was sent before a half-close comes back");

    let mut flooding = connect_again(&server);
    let flood: Vec<u8> = (0..6_000_000_u32).map(|i| (i / 7) as u8).collect();
    let mut reading = flooding.try_clone().expect("a socket can be shared");
    let (sent, received) = thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut all = Vec::new();
            thread::sleep(Duration::from_millis(100));
            reading.read_to_end(&mut all).map(|_| all)
        });
        let sent = flooding.write_all(&flood).and_then(|()| flooding.shutdown(Shutdown::Write));
        (sent, reader.join().expect("reading does not panic"))
    });
    sent.expect("the server goes on reading");
    assert!(received.expect("the server goes on writing") == flood, "a flood comes back whole");
    for stream in &mut open {
        assert_eq!(echoed(stream, message), message, "those who stayed are still served");
    }
}

const CONNECTIONS: usize = 4;

fn echoed(stream: &mut TcpStream, message: &[u8]) -> Vec<u8> {
    stream.write_all(message).expect("the server reads");
    let mut reply = vec![0; message.len()];
    stream.read_exact(&mut reply).expect("the server replies");
    reply
}

/// Connects once the server has noticed that an earlier connection has gone.
fn connect_again(server: &Server) -> TcpStream {
    for _ in 0..200 {
        let mut stream = server.connect();
        let mut reply = [0; 4];
        if stream.write_all(b"ping").is_ok() && stream.read_exact(&mut reply).is_ok() {
            return stream;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("a connection that was closed is given to no other client")
}
