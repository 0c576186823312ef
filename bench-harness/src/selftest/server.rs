//! A server that stops for a while under open-loop load: everybody who would have come meanwhile has to be
//! counted, as if the load generator had gone on undisturbed.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use launch::{Served, selection};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::{Failure, ServeRequest};
use serde_json::Value;
use workloads::{Profile, find};

use crate::programs::own_program;
use crate::selftest::bench::Bench;
use crate::selftest::check::Check;

const STOP: Duration = Duration::from_millis(200);
/// Requests a second: far below what the server can do.
const RATE: u64 = 2_000;
const TOLERANCE: f64 = 0.1;
/// Time in which the server has to listen.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn check(bench: &Bench, seconds: u64) -> anyhow::Result<Check> {
    let server = start(bench)?;
    let load = Command::new(own_program()?)
        .args(["load", "--format", "json", "--any-body", "--target", &server.address().to_string()])
        .args(["--rate", &RATE.to_string(), "--duration", &format!("{seconds}s")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the load generator")?;
    thread::sleep(Duration::from_secs(seconds / 2));
    signal(&server, Signal::SIGSTOP)?;
    thread::sleep(STOP);
    signal(&server, Signal::SIGCONT)?;
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

fn start(bench: &Bench) -> anyhow::Result<Served> {
    let program = bench.program("tokio")?;
    let failed = |failure: Failure| anyhow::anyhow!("{}: {}", failure.failure, failure.reason);
    let description = launch::describe(program).map_err(failed)?;
    let service = find("serve").context("the workload is in the catalogue")?;
    let case = service.cases(Profile::Quick).into_iter().max_by_key(|case| case.connections);
    let request = ServeRequest {
        variant: description.variants.into_iter().next().context("it has a variant")?,
        workload: service.spec.name.to_owned(),
        params: case.context("it has cases")?.params,
        workers: selection::workers(None)?,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    Served::start(program, request, Instant::now() + PATIENCE).map_err(failed)
}

fn signal(server: &Served, signal: Signal) -> anyhow::Result<()> {
    let id = Pid::from_raw(server.process().try_into().context("process ids are positive")?);
    kill(id, signal).context("cannot signal the server")
}
