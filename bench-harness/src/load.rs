//! `load`: HTTP requests to any server on this machine, in an open or a closed loop, and what came back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Serialize;
use worker::generator::{Conduct, Expect, HttpGenerator, Seen, Timetable, histogram, too_late};
use worker::launch::Backend;
use worker::protocol::Failure;
use worker::selection::UsageError;
use worker::{os, units};
use workloads::http::{Limits, ResponseReader, write_get};
use workloads::{Digest, arrivals};

use crate::run::own_program;

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the ideal server is driven for comparison.
const IDEAL: Duration = Duration::from_millis(500);
/// A server may be fast, so being on time matters more than the CPU.
const SPIN: Duration = Duration::from_micros(50);

/// What is sent, and where.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Address of the server, such as 127.0.0.1:8080; loopback only [default: a built-in ideal server]
    #[arg(long, value_name = "ADDRESS:PORT")]
    target: Option<SocketAddr>,
    /// Open loop: requests a second, at the times of a Poisson process [default: closed loop]
    #[arg(long, value_name = "PER SECOND")]
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
    /// Take any body, instead of the one that a first request yields
    #[arg(long)]
    any_body: bool,
    /// Seed of the schedule
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
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

/// The result. Times in nanoseconds.
#[derive(Debug, Serialize)]
struct Outcome {
    schema: u32,
    target: String,
    path: String,
    connections: u64,
    /// Requests a second that were due; none in a closed loop.
    offered_per_second: Option<f64>,
    achieved_per_second: f64,
    wall_ns: u64,
    sent: u64,
    answered: u64,
    errors: u64,
    first_error: Option<String>,
    unanswered: u64,
    /// Requests under way when the last one became due.
    backlog: Option<usize>,
    body_bytes: u64,
    /// First half of the BLAKE3 hash of the body that every answer had; none with --any-body.
    body_digest: Option<Digest>,
    /// From the intended send time.
    latency: Percentiles,
    /// How late requests left; none in a closed loop.
    send_lag: Option<Percentiles>,
    /// Throughput × mean latency: requests in flight by Little's law.
    in_flight: f64,
    generator_cpu_ns_per_request: Option<f64>,
    /// The generator's CPU time as a share of one CPU.
    generator_busy: Option<f64>,
    /// Latency of an ideal server, which answers at once, under the same load: the share of generator,
    /// loopback and kernel.
    ideal_latency: Percentiles,
    /// Why the result should not be used, if so.
    void: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Percentiles {
    mean: f64,
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

impl Percentiles {
    fn of(nanoseconds: impl IntoIterator<Item = u64>) -> Self {
        let histogram = histogram(nanoseconds);
        let at = |share| histogram.value_at_quantile(share);
        Percentiles {
            mean: histogram.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max(),
        }
    }
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
    let seen = drive(args, target, &kind, args.duration)?;
    // Afterwards, so that a server that is busy with itself while it starts is not asked twice.
    let trivial = Expect { request: request(ideal.address(), "/"), body: None };
    let beside = drive(args, ideal.address(), &trivial, args.duration.min(IDEAL))?;
    let outcome = outcome(args, target, &kind, &seen, &beside);
    let mut out = io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&outcome)?),
        Format::Plain => print(&mut out, &outcome),
    }
    .context("cannot write to standard output")?;
    let bad = outcome.errors > 0 || outcome.unanswered > 0 || outcome.void.is_some();
    Ok(ExitCode::from(if bad { 3 } else { 0 }))
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
    if args.duration.is_zero() || args.duration > Duration::from_secs(86_400) {
        return Err(UsageError("--duration: give more than 0s and at most 24h".to_owned()));
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

/// The request and what every answer to it must be: what a first one yields.
fn kind(args: &LoadArgs, target: SocketAddr) -> anyhow::Result<Expect> {
    let request = request(target, &args.path);
    let mut stream = TcpStream::connect(target)
        .with_context(|| format!("cannot connect to {target}: is the server running?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&request)?;
    let mut reader = ResponseReader::new(Limits::CLIENT);
    let body = loop {
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
        break response.body.to_vec();
    };
    Ok(Expect { request, body: (!args.any_body).then_some(body) })
}

fn drive(
    args: &LoadArgs,
    target: SocketAddr,
    kind: &Expect,
    duration: Duration,
) -> anyhow::Result<Seen> {
    let mut generator =
        HttpGenerator::connect(target, args.connections as usize, &kind.request).map_err(failed)?;
    let timetable = match args.rate {
        None => Timetable::ClosedFor(duration),
        Some(rate) => {
            let requests = (rate * duration.as_secs_f64()).max(1.0) as u64;
            Timetable::Open(arrivals(args.seed, rate, requests))
        }
    };
    let conduct = Conduct { timetable, patience: PATIENCE, spin: SPIN };
    generator.window(&conduct, std::slice::from_ref(kind), |_| 0).map_err(failed)
}

fn outcome(
    args: &LoadArgs,
    target: SocketAddr,
    kind: &Expect,
    seen: &Seen,
    beside: &Seen,
) -> Outcome {
    let latencies = |seen: &Seen| Percentiles::of(seen.answers.iter().map(|&(_, latency)| latency));
    let latency = latencies(seen);
    let lag = args.rate.map(|_| Percentiles::of(seen.lag_ns.iter().copied()));
    let late = lag.as_ref().filter(|lag| too_late(lag.p99, latency.p99, workloads::WAKE_UP));
    let answered = seen.answers.len() as u64;
    let seconds = (seen.wall_ns as f64 / 1e9).max(1e-9);
    let cpu = seen.usage.map(|used| used.cpu_ns() as f64);
    Outcome {
        schema: 1,
        target: args.target.map_or_else(|| "ideal".to_owned(), |_| target.to_string()),
        path: args.path.clone(),
        connections: args.connections,
        offered_per_second: args.rate,
        achieved_per_second: answered as f64 / seconds,
        wall_ns: seen.wall_ns,
        sent: seen.sent,
        answered,
        errors: seen.errors,
        first_error: seen.first_error.clone(),
        unanswered: seen.unanswered,
        backlog: args.rate.map(|_| seen.backlog),
        body_bytes: seen.body_bytes,
        body_digest: kind.body.as_deref().map(Digest::of_bytes),
        in_flight: answered as f64 / seconds * latency.mean / 1e9,
        generator_cpu_ns_per_request: cpu.map(|cpu| cpu / answered.max(1) as f64),
        generator_busy: cpu.map(|cpu| cpu / 1e9 / seconds),
        ideal_latency: latencies(beside),
        void: late.map(|lag| {
            format!(
                "requests left {} late at p99, more than a tenth of the latency: lower the rate or free a CPU",
                units::duration(lag.p99 as f64)
            )
        }),
        latency,
        send_lag: lag,
    }
}

fn print(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let Outcome { target, path, connections, sent, answered, errors, unanswered, .. } = outcome;
    let pace = outcome.offered_per_second.map_or_else(
        || "closed loop".to_owned(),
        |rate| format!("{} offered", units::per_second(rate)),
    );
    writeln!(out, "{target}{path}, {connections} connections, {pace}")?;
    writeln!(
        out,
        "{} achieved in {}; {sent} sent, {answered} answered, {errors} errors, {unanswered} unanswered",
        units::per_second(outcome.achieved_per_second),
        units::duration(outcome.wall_ns as f64),
    )?;
    if let Some(error) = &outcome.first_error {
        writeln!(out, "first error: {error}")?;
    }
    let mut line = |name: &str, p: &Percentiles| {
        let [p50, p90, p99, p999, max] =
            [p.p50, p.p90, p.p99, p.p999, p.max].map(|ns| units::duration(ns as f64));
        let mean = units::duration(p.mean);
        writeln!(
            out,
            "{name:14} mean {mean}, p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}"
        )
    };
    line("latency", &outcome.latency)?;
    line("ideal server", &outcome.ideal_latency)?;
    if let Some(lag) = &outcome.send_lag {
        line("send lag", lag)?;
    }
    writeln!(
        out,
        "in flight      {} (throughput × mean latency)",
        units::digits(outcome.in_flight)
    )?;
    if let Some((each, busy)) = outcome.generator_cpu_ns_per_request.zip(outcome.generator_busy) {
        writeln!(
            out,
            "generator      {} CPU each, {} of a CPU{}",
            units::duration(each),
            units::percent(busy),
            if busy > 0.9 {
                ": it is the bottleneck, throughput says nothing of the server"
            } else {
                ""
            }
        )?;
    }
    match &outcome.body_digest {
        Some(digest) => {
            writeln!(out, "bodies         all {digest}, {} bytes in all", outcome.body_bytes)?
        }
        None => writeln!(out, "bodies         not compared, {} bytes in all", outcome.body_bytes)?,
    }
    if let Some(void) = &outcome.void {
        writeln!(out, "VOID: {void}")?;
    }
    Ok(())
}
