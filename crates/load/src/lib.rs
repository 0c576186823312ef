//! The load generator: one thread with a readiness loop, none of the contestants.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use workloads::Load;

use protocol::{Failure, FailureKind, Window};

mod driver;
mod echo;
mod http;
mod in_flight;
mod keeping_up;
mod kinds;
mod physics;

pub mod peer;
pub mod readiness;
pub mod search;

#[cfg(test)]
mod tests;

pub use http::{Conduct, Expect, HttpGenerator, Seen, Timetable};
pub use kinds::Kinds;

/// Connections to a service, ready to drive one window after the other.
pub(crate) enum Generator {
    Echo(echo::EchoGenerator),
    Http(Box<driver::Driver>),
}

impl Generator {
    /// Opens all connections.
    pub(crate) fn connect(target: SocketAddr, load: &Load) -> Result<Self, Failure> {
        machine::raise_file_limit();
        Ok(match load {
            Load::Echo(params) => Generator::Echo(echo::EchoGenerator::connect(target, params)?),
            Load::Http(load) => Generator::Http(Box::new(driver::Driver::connect(target, load)?)),
        })
    }

    /// Drives one window.
    pub(crate) fn window(&mut self) -> Result<Window, Failure> {
        match self {
            Generator::Echo(generator) => generator.window(),
            Generator::Http(driver) => driver.window(),
        }
    }
}

/// Connects and names the connection that could not be made.
fn open(target: SocketAddr, number: usize, of: usize) -> Result<TcpStream, Failure> {
    let connect = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect(target)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    connect().map_err(|error| {
        let why = if error.kind() == io::ErrorKind::AddrNotAvailable {
            "no ports are left on this machine: each connection that the server closes keeps one for a minute"
                .to_owned()
        } else {
            error.to_string()
        };
        Failure::new(FailureKind::Crashed, format!("connection {} of {of} failed: {why}", number + 1))
    })
}

/// Whether requests left so late that latencies say nothing: at p99 by more than a tenth of the latency at
/// p99, and by more than the slack. The first two in nanoseconds.
pub fn too_late(lag_p99: u64, latency_p99: u64, slack: Duration) -> bool {
    lag_p99 > (latency_p99 / 10).max(nanoseconds(slack))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
