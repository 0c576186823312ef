//! What clients may do to an HTTP server, and what must not come of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use workloads::service::Work;

use super::server::Server;

/// Connections that the server admits.
const CONNECTIONS: usize = 8;
/// How long it waits for the rest of a request.
const PATIENCE: Duration = Duration::from_millis(300);
/// Memory that misbehaving clients may make it take besides what it has.
const MEMORY: u64 = 32 << 20;
/// Within this time everything happens that happens at all.
const ENOUGH: Duration = Duration::from_secs(20);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// Panics unless `program serve serve`, with these arguments more, stands slow and half requests,
/// oversized heads and bodies, garbage, resets, floods of connections and clients that never read: it
/// answers 4xx or closes, goes on serving the others, and its memory stays bounded.
///
/// # Panics
/// With what it did not stand.
pub fn assert_serves_http(program: &Path, arguments: &[&str]) {
    let connections = format!("connections={CONNECTIONS}");
    let patience = format!("patience_ms={}", PATIENCE.as_millis());
    let arguments = [&["--param", &connections, "--param", &patience], arguments].concat();
    let server = Server::start(program, "serve", &arguments);
    let mut faithful = server.connect();
    assert!(is_served(&mut faithful), "an honest request is answered");
    let before = server.memory();

    answers_together_what_came_together(&server);
    for (what, bytes, status) in [
        ("garbage", &b"\x16\x03\x01\x02\x00garbage\r\n\r\n"[..], 400),
        ("a request without Host", b"GET / HTTP/1.1\r\n\r\n", 400),
        ("an endless head", &[b'a'; 100_000], 431),
        (
            "a body too large",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
            413,
        ),
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            400,
        ),
        ("half a request", b"GET / HTTP/1.1\r\nHost", 408),
        ("half a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", 408),
    ] {
        refused(&server, what, bytes, status);
        assert!(is_served(&mut faithful), "{what} does no harm to the others");
    }
    let mut oversized = GET.to_vec();
    oversized.extend(vec![b'x'; 100_000]);
    let first = answer(&server, &oversized);
    assert!(first.is_err() || first.is_ok_and(|text| text.starts_with("HTTP/1.1 200")));

    drips(&server);
    resets(&server);
    never_reads(&server, &mut faithful);
    floods(&server, &mut faithful);

    let after = server.memory();
    if let Some((before, after)) = before.zip(after) {
        assert!(
            after < before + MEMORY,
            "memory grew from {before} to {after} bytes under misbehaving clients"
        );
    }
}

fn body() -> String {
    String::from_utf8(Work::default().body()).expect("the body is text")
}

/// One request and its answer on a connection that stays open.
fn is_served(stream: &mut TcpStream) -> bool {
    let mut all = Vec::new();
    let mut buffer = [0; 512];
    if stream.write_all(GET).is_err() {
        return false;
    }
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        all.extend_from_slice(&buffer[..count]);
        if String::from_utf8_lossy(&all).ends_with(&body()) {
            return true;
        }
    }
    false
}

/// Sends bytes on a connection of its own and returns all that comes back until the server closes.
fn answer(server: &Server, bytes: &[u8]) -> io::Result<String> {
    let mut stream = admitted(server);
    // The server may have refused before it has read everything.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    match read {
        Err(error) if all.is_empty() => Err(error),
        _ => Ok(String::from_utf8_lossy(&all).into_owned()),
    }
}

/// A connection that the server has admitted: one that has just been closed may still count.
fn admitted(server: &Server) -> TcpStream {
    for _ in 0..300 {
        let mut stream = server.connect();
        if is_served(&mut stream) {
            return stream;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("a connection that was closed is given to no other client")
}

/// The answer is that status, or the connection is closed; never a success, never silence.
fn refused(server: &Server, what: &str, bytes: &[u8], status: u16) {
    let start = Instant::now();
    match answer(server, bytes) {
        Ok(text) if text.is_empty() => {}
        Ok(text) => assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {text}"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{what}"),
    }
    assert!(start.elapsed() < ENOUGH, "{what} is not refused in time");
}

fn answers_together_what_came_together(server: &Server) {
    let mut stream = admitted(server);
    stream.write_all(&GET.repeat(20)).expect("the server reads");
    stream.write_all(b"nonsense\r\n\r\n").expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("the connection is open");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the server closes in its turn");
    assert_eq!(text.matches("HTTP/1.1 200 ").count(), 20, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400 ").count(), 1, "{text}");
}

/// A byte now and then does not keep a connection open.
fn drips(server: &Server) {
    let mut stream = admitted(server);
    let start = Instant::now();
    while start.elapsed() < ENOUGH {
        if stream.write_all(b"a").is_err() {
            return;
        }
        thread::sleep(PATIENCE / 6);
    }
    panic!("a request that drips for {:?} is still waited for", start.elapsed());
}

fn resets(server: &Server) {
    for _ in 0..50 {
        let mut stream = admitted(server);
        // Unread answers make the closing a reset.
        stream.write_all(&GET.repeat(10)).expect("the server reads");
        drop(stream);
    }
}

/// Clients that ask for much and read nothing hold up neither the others nor much memory.
fn never_reads(server: &Server, faithful: &mut TcpStream) {
    let greedy: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = admitted(server);
            stream.set_nonblocking(true).expect("a mode can be set");
            let ask = b"GET /?size=1000000 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200);
            let _ = stream.write(&ask);
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(100));
    assert!(is_served(faithful), "clients that do not read do no harm to the others");
    drop(greedy);
}

fn floods(server: &Server, faithful: &mut TcpStream) {
    let flood: Vec<_> = (0..300).map(|_| server.connect()).collect();
    assert!(is_served(faithful), "a flood of connections harms no client that is connected");
    let is_closed = |stream: &&TcpStream| {
        stream.set_nonblocking(true).expect("a mode can be set");
        let read = (&mut &**stream).read(&mut [0; 8]);
        !matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    };
    let start = Instant::now();
    loop {
        let closed = flood.iter().filter(is_closed).count();
        if closed >= 300 - CONNECTIONS {
            break;
        }
        assert!(start.elapsed() < ENOUGH, "{closed} of 300 connections too many were closed");
        thread::sleep(Duration::from_millis(10));
    }
    drop(flood);
    assert!(is_served(&mut admitted(server)), "after a flood there is room again");
}
