//! `load`: HTTP requests to any server on this machine, in an open or a closed loop, and what came back.

use std::io;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use launch::Backend;
use launch::selection;
use load::{Conduct, HttpGenerator, Seen, Timetable};
use protocol::Failure;
use serde::Serialize;
use workloads::UsageError;
use workloads::arrivals;

use crate::programs::own_program;
use crate::progress::Teller;
use record::service::ServiceProfile;

use crate::load::outcome::Outcome;
use crate::load::requests::Requests;

mod outcome;
mod requests;

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the ideal server is driven for comparison.
const IDEAL: Duration = Duration::from_millis(500);
/// A server may be fast, so being on time matters more than the CPU: the generator is awake for this part of the
/// time between two requests before the second is due, within these bounds.
const AWAKE: f64 = 0.25;
/// A service that computes needs the CPUs itself.
const AWAKE_BESIDE_WORK: f64 = 0.04;
const SPIN: Duration = Duration::from_micros(50);
const LONGEST_SPIN: Duration = Duration::from_micros(500);
/// Requests that wait for a connection are sent for this part of the duration after its end, or so long.
const OVERTIME: f64 = 0.1;
const LEAST_OVERTIME: Duration = Duration::from_secs(1);
/// The shortest time of which a rate says anything.
const SHORTEST: Duration = Duration::from_millis(10);
/// Connections where nothing else is said.
const CONNECTIONS: u64 = 64;
/// How often is told how far it is.
const TELL: Duration = Duration::from_secs(1);

/// What is sent, and where.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Address of the server, such as 127.0.0.1:8080; loopback only [default: a built-in ideal server]
    #[arg(long, value_name = "ADDRESS:PORT")]
    target: Option<SocketAddr>,
    /// Open loop: requests a second [default: the service's, or a closed loop]
    #[arg(long, value_name = "PER SECOND", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// When the requests of an open loop are due
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
    /// Connections kept open, each with one request at a time [default: the service's, or 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    connections: Option<u64>,
    /// How long requests are sent, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// What to ask for
    #[arg(long, value_name = "TARGET", default_value = "/")]
    path: String,
    /// Send the requests that a profile file describes, in its shares, to a strategy that serves `traffic`
    #[arg(long, value_name = "PROFILE.toml", requires = "target", conflicts_with_all = ["path", "any_body"])]
    service: Option<PathBuf>,
    /// Take any body and any status below 400, instead of those that a first request yields
    #[arg(long)]
    any_body: bool,
    /// Time of a unit of the service's computing, nanoseconds, such as a run's plan.json has it [default: measured]
    #[arg(long, value_name = "NS", requires = "service", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    unit_ns: Option<u64>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Arrivals {
    /// At the times of a Poisson process: clients that know nothing of each other
    Poisson,
    /// Evenly, one after the other
    Constant,
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
    check_target(args)?;
    let service = args.service.as_deref().map(service::read).transpose()?;
    let plan = Plan::of(args, service.as_ref());
    plan.check()?;
    machine::prefer_this_process();
    let start = |deadline| Backend::start(&own_program()?, deadline).map_err(failed);
    let ideal = start(Instant::now() + PATIENCE)?;
    let target = args.target.unwrap_or_else(|| ideal.address());
    let requests = match service {
        Some(service) => {
            let unit_ns = args.unit_ns.unwrap_or_else(|| selection::grant(1, None).unit_ns);
            Requests::of_service(service, target, plan.requests(), unit_ns)?
        }
        None => Requests::of_path(&args.path, target, !args.any_body)?,
    };
    let seen = telling(args, plan.duration, || plan.drive(target, &requests))?;
    // Afterwards, so that a server that is busy with itself while it starts is not asked twice.
    let trivial = Requests::trivial(ideal.address());
    let short = Plan { duration: plan.duration.min(IDEAL), ..plan };
    // What was seen of the target counts without it.
    let beside = short.drive(ideal.address(), &trivial).ok();
    let name = args.target.map_or_else(|| "ideal".to_owned(), |target| target.to_string());
    let outcome = Outcome::of(&plan, name, &requests, &seen, beside.as_ref());
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
fn telling<T>(args: &LoadArgs, duration: Duration, drive: impl FnOnce() -> T) -> T {
    let teller = Teller::new(args.quiet || !io::stderr().is_terminal());
    let (done, wait) = mpsc::channel::<()>();
    let all = duration.as_secs_f64();
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

fn check_target(args: &LoadArgs) -> Result<(), UsageError> {
    if let Some(target) = args.target.filter(|target| !target.ip().is_loopback()) {
        return Err(UsageError(format!(
            "--target {target} is not on this machine: give a loopback address, such as 127.0.0.1:8080"
        )));
    }
    if !args.path.starts_with('/') || args.path.contains(char::is_whitespace) {
        let path = &args.path;
        return Err(UsageError(format!("--path {path:?}: begin with / and leave out spaces")));
    }
    Ok(())
}

fn failed(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", failure.failure, failure.reason)
}

/// When requests are sent, over how many connections and for how long.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Requests a second; `None` for a closed loop.
    rate: Option<f64>,
    arrivals: Arrivals,
    connections: u64,
    duration: Duration,
    seed: u64,
}

impl Plan {
    /// As the user wants it; what was not said is the service's.
    fn of(args: &LoadArgs, service: Option<&ServiceProfile>) -> Self {
        let load = service.map(|service| &service.load);
        let rate = load.and_then(|load| load.rate).map(|rate| rate as f64);
        let connections = load.map_or(CONNECTIONS, |load| load.connections);
        Plan {
            rate: args.rate.or(rate),
            arrivals: args.arrivals,
            connections: args.connections.unwrap_or(connections),
            duration: args.duration,
            seed: args.seed,
        }
    }

    fn check(&self) -> Result<(), UsageError> {
        if let Some(rate) = self.rate.filter(|rate| !(0.001..=1e7).contains(rate)) {
            return Err(UsageError(format!(
                "--rate {rate}: give 0.001 to 10000000 requests a second"
            )));
        }
        if self.duration < SHORTEST || self.duration > Duration::from_secs(86_400) {
            return Err(UsageError("--duration: give 10ms to 24h".to_owned()));
        }
        if let Some(rate) = self.rate.filter(|rate| rate * self.duration.as_secs_f64() < 1.0) {
            let duration = humantime::format_duration(self.duration);
            return Err(UsageError(format!(
                "--rate {rate}: makes no request in {duration}: give a higher rate or a longer --duration"
            )));
        }
        machine::check_connections(self.connections)
            .map_err(|reason| UsageError(format!("--{reason}")))
    }

    /// Requests of an open loop.
    fn requests(&self) -> Option<u64> {
        self.rate.map(|rate| (rate * self.duration.as_secs_f64()).max(1.0) as u64)
    }

    /// When each request of an open loop is due, in nanoseconds from the start.
    fn due(&self) -> Option<Vec<u64>> {
        let (rate, requests) = self.rate.zip(self.requests())?;
        let length = self.duration.as_nanos() as f64;
        Some(match self.arrivals {
            Arrivals::Constant => {
                (0..requests).map(|index| (index as f64 * 1e9 / rate) as u64).collect()
            }
            Arrivals::Poisson => {
                // A Poisson process of which so many arrivals come in that time: the next one comes at its end.
                let mut due = arrivals(self.seed, rate, requests + 1);
                let next = due.pop().unwrap_or(1).max(1);
                due.iter().map(|at| (*at as f64 * length / next as f64) as u64).collect()
            }
        })
    }

    fn drive(&self, target: SocketAddr, requests: &Requests) -> anyhow::Result<Seen> {
        let connections = self.connections as usize;
        let mut generator = HttpGenerator::connect(target, connections, requests.first()).map_err(
            |failure| {
                anyhow::anyhow!(
                    "{}: if the server admits fewer than {connections} connections, lower --connections",
                    failure.reason
                )
            },
        )?;
        let awake = if requests.service().is_some() { AWAKE_BESIDE_WORK } else { AWAKE };
        let spin = self
            .rate
            .map_or(SPIN, |rate| Duration::from_secs_f64(awake / rate).clamp(SPIN, LONGEST_SPIN));
        let timetable = self.due().map_or(Timetable::ClosedFor(self.duration), Timetable::Open);
        let overtime = Some(self.duration.mul_f64(OVERTIME).max(LEAST_OVERTIME));
        let patience = PATIENCE + requests.longest_wait();
        let conduct = Conduct { timetable, patience, overtime, spin };
        generator
            .window(&conduct, requests.expected(), |index| requests.kind(index))
            .map_err(failed)
    }
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
