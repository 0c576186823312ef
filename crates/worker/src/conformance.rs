//! What every strategy's tests, and the harness's `check`, ask of an executable: the right answer in every
//! cell at tiny scale, and as many working threads as were granted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use workloads::{Case, Entry, Profile};

use crate::launch::{self, Visit};
use crate::protocol::{Failure, FailureKind, Measured, SamplingPlan};
use crate::scratch::Scratch;
use crate::selection::{self, Choice};

/// One cell that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The case.
    pub case: String,
    /// The strategy's variant.
    pub variant: String,
    /// What came of it.
    pub result: Result<Measured, Failure>,
}

/// Runs every smoke case once in every variant of `program`, each in a process of its own, against the
/// oracle that `peer` computes. Input files are made below `scratch`.
///
/// # Errors
/// If the program does not describe itself, or an oracle fails.
pub fn try_all(
    program: &Path,
    peer: &Path,
    workers: usize,
    scratch: &Path,
) -> Result<Vec<Tried>, Failure> {
    let (_, variants) = launch::describe(program)?;
    let mut tried = Vec::new();
    for (entry, case) in smoke_cases() {
        let expected = launch::oracle(peer, entry.spec.name, &case.params, scratch)?;
        for variant in &variants {
            let visit = Visit {
                program,
                peer,
                variant,
                workload: entry.spec.name,
                kind: entry.kind,
                params: &case.params,
                workers,
                sampling: SamplingPlan { warmup: 0, min_samples: 2, budget_ns: 0 },
                scratch,
                time_limit: selection::time_limit(false),
                expected,
            };
            let (case, variant) = (case.id.clone(), variant.clone());
            tried.push(Tried { case, variant, result: visit.run() });
        }
    }
    Ok(tried)
}

fn smoke_cases() -> Vec<(Entry, Case)> {
    selection::cases(Profile::Smoke, &Choice::default()).expect("nothing is chosen that could fail")
}

/// Panics unless every cell of `program` has the right answer or no honest form.
///
/// # Panics
/// With the list of what failed.
pub fn assert_right(program: &Path) {
    let tried = try_all_in_temporary_folder(program, 2);
    let failed = |tried: &&Tried| {
        let failure = tried.result.as_ref().err();
        failure.is_some_and(|failure| failure.failure != FailureKind::Unsupported)
    };
    let failed: Vec<_> = tried.iter().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(tried.iter().any(|tried| tried.result.is_ok()), "nothing was measured");
}

/// Panics unless one worker means that one thread did all operations of these workloads.
///
/// # Panics
/// With the case and the number of threads observed.
pub fn assert_one_worker(program: &Path, workloads: &[&str]) {
    let mut seen = 0;
    for Tried { case, variant, result } in try_all_in_temporary_folder(program, 1) {
        if !workloads.iter().any(|workload| case.split('/').next() == Some(*workload)) {
            continue;
        }
        let Ok(measured) = result else { continue };
        assert_eq!(measured.worker_threads, Some(1), "{case} on {variant}");
        seen += 1;
    }
    assert!(seen >= workloads.len(), "only {seen} cells were measured");
}

/// Panics unless `program serve echo`, with these arguments more, stands what clients do to it: floods,
/// half-closed connections, resets, and more connections than it admits.
///
/// # Panics
/// With what it did not stand.
pub fn assert_serves(program: &Path, arguments: &[&str]) {
    let server = Server::start(program, arguments);
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
        assert_eq!(echoed(stream, message), message, "a refusal harms nobody else");
    }

    // Unread replies make the closing a reset.
    let resetting = open.pop().expect("connections are open");
    (&resetting).write_all(message).expect("the server reads");
    thread::sleep(Duration::from_millis(20));
    drop(resetting);
    let mut half_closed = server.connect_again();
    half_closed.write_all(message).expect("the server reads");
    half_closed.shutdown(Shutdown::Write).expect("the connection is open");
    let mut rest = Vec::new();
    half_closed.read_to_end(&mut rest).expect("the server closes in its turn");
    assert_eq!(rest, message, "what was sent before a half-close comes back");

    let mut flooding = server.connect_again();
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

/// A strategy that serves, killed when this is dropped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let connections = format!("connections={CONNECTIONS}");
        let mut process = Command::new(program)
            .args(["serve", "echo", "--listen", "127.0.0.1:0", "--param", &connections])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let stdout = process.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.split_whitespace().find_map(|word| word.parse().ok());
        Server { process, address: address.unwrap_or_else(|| panic!("no address in {line:?}")) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        stream
    }

    /// Connects once the server has noticed that an earlier connection has gone.
    fn connect_again(&self) -> TcpStream {
        for _ in 0..200 {
            let mut stream = self.connect();
            let mut reply = [0; 4];
            if stream.write_all(b"ping").is_ok() && stream.read_exact(&mut reply).is_ok() {
                return stream;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("a connection that was closed is not given to anybody else")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn try_all_in_temporary_folder(program: &Path, workers: usize) -> Vec<Tried> {
    let scratch = Scratch::temporary().expect("a temporary folder can be made");
    try_all(program, program, workers, scratch.path()).expect("the program speaks the protocol")
}
