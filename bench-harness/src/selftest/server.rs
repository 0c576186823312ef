//! A server that stops for a while under open-loop load: everybody who would have come meanwhile has to be
//! counted, as if the load generator had gone on undisturbed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use launch::Live;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::programs::own_program;
use crate::selftest::bench::Bench;
use crate::selftest::check::Check;

const STOP: Duration = Duration::from_millis(200);
/// Requests a second: far below what the server can do.
const RATE: u64 = 2_000;
const TOLERANCE: f64 = 0.1;

pub(super) fn check(bench: &Bench, seconds: u64) -> anyhow::Result<Check> {
    let mut server = Server::start(bench)?;
    let load = Command::new(own_program()?)
        .args(["load", "--format", "json", "--any-body", "--target", &server.address])
        .args(["--rate", &RATE.to_string(), "--duration", &format!("{seconds}s")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the load generator")?;
    thread::sleep(Duration::from_secs(seconds / 2));
    server.signal(Signal::SIGSTOP)?;
    thread::sleep(STOP);
    server.signal(Signal::SIGCONT)?;
    let output = load.wait_with_output()?;
    let seen: Value = serde_json::from_slice(&output.stdout)
        .context("the load generator did not print its result")?;
    let p999 = seen["latency"]["p999"].as_f64().context("the result has a p99.9")?;
    // A request that comes t after the stop began waits for the rest of it, so that a share
    // (stop − x) / duration of all waits for more than x.
    let expected = STOP.as_secs_f64() - 0.001 * seconds as f64;
    let ratio = p999 / 1e9 / expected;
    Ok(Check::new(
        format!("a server that stops for 200 ms in {seconds} s of open load: p99.9"),
        "within 10 % of the analytic answer",
        format!("{:.1} ms where {:.1} ms are due", p999 / 1e6, expected * 1e3),
        (ratio - 1.0).abs() <= TOLERANCE,
    ))
}

struct Server {
    child: Child,
    address: String,
    live: Option<Live>,
}

impl Server {
    fn start(bench: &Bench) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        let mut child = Command::new(bench.program("tokio")?)
            .args(["serve", "serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start the server")?;
        let live = Some(Live::new(child.id()));
        let said = child.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let start = line.find("127.0.0.1:")?;
            let address = line[start..].split(|c: char| c.is_whitespace() || c == '/').next()?;
            Some(address.trim_end_matches(['.', ',', ';']).to_owned())
        });
        let address = address.context("the server did not say where it listens")?;
        Ok(Server { child, address, live })
    }

    fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        let id = Pid::from_raw(self.child.id().try_into().context("process ids are positive")?);
        kill(id, signal).context("cannot signal the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.live.take().map(|live| live.reap(&mut self.child));
    }
}
