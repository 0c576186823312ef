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
use workloads::UsageError;

use crate::programs::own_program;
use crate::progress::Teller;
use record::service::ServiceProfile;

use crate::load::outcome::Outcome;
use crate::load::plan::{Arrivals, Plan, failed};
use crate::load::requests::{PATIENCE, Requests};

mod outcome;
mod plan;
mod requests;

/// How long the ideal server is driven for comparison.
const IDEAL: Duration = Duration::from_millis(500);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Plain,
    /// One JSON document, times in nanoseconds
    Json,
}

impl LoadArgs {
    /// The load that is asked for; what was not said is the service's.
    fn plan(&self, service: Option<&ServiceProfile>) -> Plan {
        let load = service.map(|service| &service.load);
        let rate = load.and_then(|load| load.rate).map(|rate| rate as f64);
        let connections = load.map_or(CONNECTIONS, |load| load.connections);
        Plan {
            rate: self.rate.or(rate),
            arrivals: self.arrivals,
            connections: self.connections.unwrap_or(connections),
            duration: self.duration,
            seed: self.seed,
        }
    }
}

/// Drives the target and prints the result. Exit code 3 if an answer was wrong or missing, or the
/// generator could not keep its schedule.
///
/// # Errors
/// If the target is not on this machine or cannot be reached.
pub(crate) fn load(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    check_target(args)?;
    let service = args.service.as_deref().map(service::read).transpose()?;
    let plan = args.plan(service.as_ref());
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
