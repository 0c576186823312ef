//! The command line of the harness.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use worker::selection::{Choice, ProfileArg, UsageError};
use workloads::{Profile, catalog};

use crate::load::{self, LoadArgs};
use crate::programs::{self, Source};
use crate::report::{self, Report};
use crate::run::{self, Settings};
use crate::{check, comparable, compare, journal, selftest};

/// Measures how concurrency models for Rust do the same work, and writes the comparison.
#[derive(Debug, Parser)]
#[command(
    name = "bench-harness",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a command: `run` in the quick profile, less than five minutes on two cores.
Exit codes: 0 done, 1 error, 2 usage, 3 done but some cells failed, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, judge and report (the default)
    Run(RunArgs),
    /// List strategies, workloads and the cases of a profile
    List {
        /// Profile whose cases to list
        #[arg(long, value_enum, default_value_t = ProfileArg::Quick)]
        profile: ProfileArg,
    },
    /// Run every cell once at tiny scale and check its answer
    Check {
        #[command(flatten)]
        programs: ProgramArgs,
        /// Worker threads [default: the CPUs that this process may use]
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        workers: Option<usize>,
    },
    /// Send HTTP requests to a server on this machine and say how long they took
    Load(LoadArgs),
    /// Say what changed between two runs, and whether their verdicts contradict each other
    Compare {
        /// Folder of the earlier run
        one: PathBuf,
        /// Folder of the later run
        other: PathBuf,
    },
    /// Make the reports of a run again from its journal, or pool several runs of one machine as sessions
    Report {
        /// Folders of the runs
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Folder for the reports [default: that of the run; needed for several]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Put the matrix and the answers between the markers of this file
        #[arg(long, value_name = "FILE")]
        splice: Option<PathBuf>,
    },
    /// Check on real cells that the same ties, that extra work is found, and that noise is noticed
    Selftest {
        /// Take all repetitions that the published table has: about half an hour
        #[arg(long)]
        long: bool,
        /// Seed of the random orders
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Folder to write the table to
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Take the executables named `strategy-*` in this folder instead of building them
        #[arg(long, value_name = "DIR")]
        bin_dir: Option<PathBuf>,
    },
    /// Stand beside a strategy as oracle or load generator
    #[command(hide = true)]
    Peer,
    /// Be a noisy neighbour
    #[command(hide = true)]
    Spin,
}

#[derive(Debug, Args)]
struct ProgramArgs {
    /// Strategies to run, separated by commas [default: all]
    #[arg(long = "strategy", value_name = "NAME", value_delimiter = ',')]
    strategies: Vec<String>,
    /// Take every executable named `strategy-*` in this folder instead of building them
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// How much to measure
    #[arg(long, value_enum, default_value_t = ProfileArg::Quick)]
    profile: ProfileArg,
    /// Workloads to run, separated by commas [default: all]
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    workloads: Vec<String>,
    #[command(flatten)]
    programs: ProgramArgs,
    /// Rounds: process runs of every cell [default: as many as it takes to decide, within the profile's
    /// limits]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,
    /// Time for measuring, such as 10m, spent where it decides most [default: by profile]
    #[arg(long, value_name = "DURATION", value_parser = time_budget)]
    time_budget: Option<Duration>,
    /// Worker threads; several numbers, separated by commas, are a sweep: what computes is measured with
    /// each of them, the rest with the largest [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_delimiter = ',', allow_negative_numbers = true)]
    workers: Vec<usize>,
    /// Seed of the random order [default: from the clock]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Folder to write the run to [default: results/TIME-PROFILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Let the requests of `endpoints` take one second
    #[arg(long)]
    faithful: bool,
    /// Seconds after which a process is killed [default: 60, or 300 with --faithful]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    time_limit: Option<u64>,
    /// Go on with a run that was interrupted; everything else is taken from its plan
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "profile", "workloads", "strategies", "rounds", "time_budget", "workers", "seed", "out", "faithful", "time_limit",
    ])]
    resume: Option<PathBuf>,
}

/// Does what the command line says.
pub(crate) fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse() {
        Cli { command: Some(Command::Peer), .. } => Ok(worker::peer::main()),
        Cli { command: Some(Command::Spin), .. } => Ok(selftest::spin()),
        Cli { command: Some(Command::Selftest { long, seed, out, bin_dir }), .. } => {
            let strategies = selftest::STRATEGIES.map(str::to_owned).to_vec();
            selftest::selftest(&Source::new(bin_dir, strategies)?, long, seed, out)
        }
        Cli { command: Some(Command::List { profile }), .. } => list(profile.into()),
        Cli { command: Some(Command::Check { programs, workers }), .. } => {
            check::check(&source(programs)?, workers)
        }
        Cli { command: Some(Command::Load(args)), .. } => load::load(&args),
        Cli { command: Some(Command::Report { runs, out, splice }), .. } => {
            report_runs(&runs, out, splice)
        }
        Cli { command: Some(Command::Compare { one, other }), .. } => {
            let (one, other) = (journal::Run::read(&one)?, journal::Run::read(&other)?);
            show(&compare::compare(&one, &other)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Run(args)), .. } | Cli { command: None, run: args } => {
            run_command(args)
        }
    }
}

fn time_budget(text: &str) -> Result<Duration, String> {
    let budget = humantime::parse_duration(text)
        .map_err(|error| format!("{error}: write it as 10m or 90s"))?;
    if budget < Duration::from_secs(1) {
        return Err("is too short to measure anything: give 1s or more".to_owned());
    }
    Ok(budget)
}

fn source(args: ProgramArgs) -> Result<Source, UsageError> {
    Source::new(args.bin_dir, args.strategies)
}

fn run_command(args: RunArgs) -> anyhow::Result<ExitCode> {
    let finished = match args.resume {
        Some(folder) => run::resume(&folder, args.programs.bin_dir)?,
        None => run::start(Settings {
            profile: args.profile.into(),
            choice: Choice {
                workloads: args.workloads,
                params: Vec::new(),
                faithful: args.faithful,
            },
            source: source(args.programs)?,
            rounds: args.rounds.map(|rounds| rounds as usize),
            time_budget: args.time_budget,
            workers: args.workers,
            seed: args.seed,
            out: args.out,
            time_limit: args.time_limit.map(Duration::from_secs),
        })?,
    };
    let Some(folder) = finished else { return Ok(ExitCode::from(130)) };
    let report = Report::of(&journal::Run::read(&folder)?);
    report::write(&report, &folder)?;
    show(&format!("{}\nwritten to {}\n", report::terminal::render(&report), folder.display()))?;
    Ok(ExitCode::from(if report.broken_cells() > 0 { 3 } else { 0 }))
}

fn report_runs(
    folders: &[PathBuf],
    out: Option<PathBuf>,
    splice: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let folder = match (folders, out) {
        ([folder], None) => folder.clone(),
        (_, Some(out)) => out,
        _ => {
            let reason =
                "report: several runs need a folder for their common report: give --out DIR";
            return Err(UsageError(reason.to_owned()).into());
        }
    };
    let mut places = std::collections::BTreeSet::new();
    if let Some(twice) = folders
        .iter()
        .find(|folder| std::fs::canonicalize(folder).is_ok_and(|place| !places.insert(place)))
    {
        let twice = twice.display();
        return Err(
            UsageError(format!("report: {twice} is given twice: name each run once")).into()
        );
    }
    let runs: Vec<_> =
        folders.iter().map(|folder| journal::Run::read(folder)).collect::<Result<_, _>>()?;
    for other in &runs[1..] {
        comparable::check_sessions(&runs[0], other)?;
    }
    let report = Report::of_sessions(&runs);
    std::fs::create_dir_all(&folder)
        .map_err(|error| UsageError(format!("--out {}: {error}", folder.display())))?;
    report::write(&report, &folder)?;
    if let Some(file) = splice {
        report::splice::splice(&file, &report::markdown::overview(&report))?;
    }
    show(&report::terminal::render(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn show(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

fn list(profile: Profile) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "strategies: {}\n", programs::STRATEGIES.join(", "))?;
    for entry in catalog() {
        let spec = entry.spec;
        writeln!(out, "{} ({}, by {}): {}", spec.name, spec.class, spec.metric, spec.question)?;
        for case in entry.cases(profile) {
            writeln!(out, "    {:18} {}  limit: {}", case.id, case.params, case.limit.reason())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
