//! `load`: HTTP requests to any server on this machine, in an open or a closed loop, and what came back.

use std::io::{self, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use worker::generator::{Conduct, Expect, HttpGenerator, Seen, Timetable};
use worker::launch::Backend;
use worker::os;
use worker::protocol::Failure;
use worker::selection::UsageError;
use workloads::arrivals;
use workloads::http::{Limits, ResponseReader, write_get};

use crate::progress::Teller;
use crate::run::own_program;

use self::outcome::Outcome;

mod outcome;

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the ideal server is driven for comparison.
const IDEAL: Duration = Duration::from_millis(500);
/// A server may be fast, so being on time matters more than the CPU: the generator is awake for this part of the
/// time between two requests before the second is due, within these bounds.
const AWAKE: f64 = 0.25;
const SPIN: Duration = Duration::from_micros(50);
const LONGEST_SPIN: Duration = Duration::from_micros(500);
/// Requests that wait for a connection are sent for this part of the duration after its end, or so long.
const OVERTIME: f64 = 0.1;
const LEAST_OVERTIME: Duration = Duration::from_secs(1);
/// The shortest time of which a rate says anything.
const SHORTEST: Duration = Duration::from_millis(10);
/// How often is told how far it is.
const TELL: Duration = Duration::from_secs(1);

/// What is sent, and where.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Address of the server, such as 127.0.0.1:8080; loopback only [default: a built-in ideal server]
    #[arg(long, value_name = "ADDRESS:PORT")]
    target: Option<SocketAddr>,
    /// Open loop: requests a second, at the times of a Poisson process [default: closed loop]
    #[arg(long, value_name = "PER SECOND", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Connections kept open, each with one request at a time
    #[arg(long, value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u64).range(1..=100_000))]
    connections: u64,
    /// How long requests are sent, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// What to ask for
    #[arg(long, value_name = "TARGET", default_value = "/")]
    path: String,
    /// Take any body and any status below 400, instead of those that a first request yields
    #[arg(long)]
    any_body: bool,
    /// Seed of the schedule
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Do not say on standard error how far it is
    #[arg(short, long)]
    quiet: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Plain,
    /// One JSON document, times in nanoseconds
    Json,
}

/// Drives the target and prints the result. Exit code 3 if an answer was wrong or missing, or the
/// generator could not keep its schedule.
///
/// # Errors
/// If the target is not on this machine or cannot be reached.
pub(crate) fn load(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    check(args)?;
    os::prefer_this_process();
    let start = |deadline| Backend::start(&own_program()?, deadline).map_err(failed);
    let ideal = start(Instant::now() + PATIENCE)?;
    let target = args.target.unwrap_or_else(|| ideal.address());
    let kind = kind(args, target)?;
    let seen = telling(args, || drive(args, target, &kind, args.duration))?;
    // Afterwards, so that a server that is busy with itself while it starts is not asked twice.
    let trivial = Expect { request: request(ideal.address(), "/"), answer: None };
    // What was seen of the target counts without it.
    let beside = drive(args, ideal.address(), &trivial, args.duration.min(IDEAL)).ok();
    let outcome = Outcome::of(args, target, &kind, &seen, beside.as_ref());
    let mut out = io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&outcome)?),
        Format::Plain => outcome.print(&mut out),
    }
    .context("cannot write to standard output")?;
    Ok(ExitCode::from(if outcome.is_bad() { 3 } else { 0 }))
}

/// A rate as the user writes it; its bounds are checked with the others.
fn rate(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|rate: &f64| rate.is_finite()).ok_or_else(|| {
        "give requests a second as a plain number without a unit, such as 1000".to_owned()
    })
}

/// Does something, and tells meanwhile how far it is where that can be drawn over.
fn telling<T>(args: &LoadArgs, drive: impl FnOnce() -> T) -> T {
    let teller = Teller::new(args.quiet || !io::stderr().is_terminal());
    let (done, wait) = mpsc::channel::<()>();
    let all = args.duration.as_secs_f64();
    thread::scope(|scope| {
        scope.spawn(move || {
            let begin = Instant::now();
            while wait.recv_timeout(TELL) == Err(mpsc::RecvTimeoutError::Timeout) {
                let so_far = begin.elapsed().as_secs_f64();
                teller.tell(&format!("\r\x1b[K{so_far:.0} of {all:.0} s"));
            }
            teller.tell("\r\x1b[K");
        });
        let value = drive();
        drop(done);
        value
    })
}

fn check(args: &LoadArgs) -> Result<(), UsageError> {
    if let Some(target) = args.target.filter(|target| !target.ip().is_loopback()) {
        return Err(UsageError(format!(
            "--target {target} is not on this machine: give a loopback address, such as 127.0.0.1:8080"
        )));
    }
    if let Some(rate) = args.rate.filter(|rate| !(0.001..=1e7).contains(rate)) {
        return Err(UsageError(format!("--rate {rate}: give 0.001 to 10000000 requests a second")));
    }
    if args.duration < SHORTEST || args.duration > Duration::from_secs(86_400) {
        return Err(UsageError("--duration: give 10ms to 24h".to_owned()));
    }
    if let Some(rate) = args.rate.filter(|rate| rate * args.duration.as_secs_f64() < 1.0) {
        let duration = humantime::format_duration(args.duration);
        return Err(UsageError(format!(
            "--rate {rate}: makes no request in {duration}: give a higher rate or a longer --duration"
        )));
    }
    if !args.path.starts_with('/') || args.path.contains(char::is_whitespace) {
        let path = &args.path;
        return Err(UsageError(format!("--path {path:?}: begin with / and leave out spaces")));
    }
    os::check_connections(args.connections).map_err(|reason| UsageError(format!("--{reason}")))
}

fn failed(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", failure.failure, failure.reason)
}

fn request(target: SocketAddr, path: &str) -> Vec<u8> {
    let mut request = Vec::new();
    write_get(&mut request, &target.to_string(), path);
    request
}

/// The request and what every answer to it must be: status and body that a first one yields.
fn kind(args: &LoadArgs, target: SocketAddr) -> anyhow::Result<Expect> {
    let request = request(target, &args.path);
    let mut stream = TcpStream::connect(target)
        .with_context(|| format!("cannot connect to {target}: is the server running?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&request)?;
    let mut reader = ResponseReader::new(Limits::CLIENT);
    let answer = loop {
        let count =
            stream.read(reader.space()).with_context(|| format!("no answer from {target}"))?;
        let response = if count == 0 {
            let last = reader.end()?;
            Some(last.with_context(|| format!("{target} closed the connection without an answer"))?)
        } else {
            reader.received(count);
            reader.next()?
        };
        let Some(response) = response else { continue };
        if response.status >= 400 {
            let (status, path) = (response.status, &args.path);
            return Err(UsageError(format!(
                "--path {path}: {target} answers with status {status}"
            ))
            .into());
        }
        break (response.status, response.body.to_vec());
    };
    Ok(Expect { request, answer: (!args.any_body).then_some(answer) })
}

fn drive(
    args: &LoadArgs,
    target: SocketAddr,
    kind: &Expect,
    duration: Duration,
) -> anyhow::Result<Seen> {
    let connections = args.connections as usize;
    let mut generator =
        HttpGenerator::connect(target, connections, &kind.request).map_err(|failure| {
            anyhow::anyhow!(
                "{}: if the server admits fewer than {connections} connections, lower --connections",
                failure.reason
            )
        })?;
    let (timetable, spin) = match args.rate {
        None => (Timetable::ClosedFor(duration), SPIN),
        Some(rate) => {
            let requests = (rate * duration.as_secs_f64()).max(1.0) as u64;
            let spin = Duration::from_secs_f64(AWAKE / rate).clamp(SPIN, LONGEST_SPIN);
            // A Poisson process of which so many arrivals come in that time: the next one comes at its end.
            let mut due = arrivals(args.seed, rate, requests + 1);
            let next = due.pop().unwrap_or(1).max(1);
            let factor = duration.as_nanos() as f64 / next as f64;
            due.iter_mut().for_each(|at| *at = (*at as f64 * factor) as u64);
            (Timetable::Open(due), spin)
        }
    };
    let overtime = Some(duration.mul_f64(OVERTIME).max(LEAST_OVERTIME));
    let conduct = Conduct { timetable, patience: PATIENCE, overtime, spin };
    generator.window(&conduct, std::slice::from_ref(kind), |_| 0).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_plain_number() {
        assert_eq!((rate("1000"), rate("0.5"), rate("-5")), (Ok(1_000.0), Ok(0.5), Ok(-5.0)));
        for wrong in ["1k", "", "inf", "nan", "1,000"] {
            assert!(rate(wrong).unwrap_err().contains("plain number"), "{wrong}");
        }
    }
}
