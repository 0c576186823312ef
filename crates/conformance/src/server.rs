//! A strategy's server in a process of its own, for tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use workloads::Kind;

/// A strategy that serves, killed when this is dropped.
pub(super) struct Server {
    process: Child,
    address: SocketAddr,
}

/// Panics unless `program serve` starts every service that the variant has, with nothing else said, and the
/// service answers. Those that are `unsupported` have to say so.
///
/// # Panics
/// With the service that did not.
pub fn assert_serves_every_service(program: &Path, variant: &str, unsupported: &[&str]) {
    let description = launch::describe(program).expect("the program describes itself");
    let services = workloads::catalog().into_iter().filter(|entry| entry.kind == Kind::Service);
    let services: Vec<_> = services
        .map(|entry| entry.spec.name)
        .filter(|service| description.has(variant, service))
        .collect();
    assert!(!services.is_empty(), "{variant} has a service");
    for service in services {
        if unsupported.contains(&service) {
            let arguments = ["serve", service, "--variant", variant];
            let refused = Command::new(program).args(arguments).output();
            let refused = refused.expect("the program can be started");
            let said = String::from_utf8_lossy(&refused.stderr);
            assert!(said.starts_with("error: unsupported: "), "{service}: {said}");
            continue;
        }
        let server = Server::start(program, service, &["--variant", variant]);
        let mut stream = server.connect();
        // An echo server sends the request back, any other answers it.
        stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("the server reads");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("the server answers");
        let right: &[u8] = if service == "echo" { b"GET / HTTP/1" } else { b"HTTP/1.1 200" };
        assert_eq!(answer, right, "{service}");
    }
}

impl Server {
    /// Starts `program serve WORKLOAD` with these arguments more.
    pub(super) fn start(program: &Path, workload: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .args(["serve", workload, "--listen", "127.0.0.1:0"])
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

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        stream
    }

    /// Resident memory in bytes, if the platform tells.
    pub(super) fn memory(&self) -> Option<u64> {
        machine::resident_bytes(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
