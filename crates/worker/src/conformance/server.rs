//! A strategy's server in a process of its own, for tests.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::os;

/// A strategy that serves, killed when this is dropped.
pub(super) struct Server {
    process: Child,
    address: SocketAddr,
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
        os::resident_bytes(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
