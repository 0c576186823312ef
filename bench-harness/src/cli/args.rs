//! What the command line may hold.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use workloads::Profile;

use crate::cli::examples;
use crate::load::LoadArgs;
use record::axis::{Resolution, Span};
use report::exports::Export;
use service::NewArgs;

/// Measures how concurrency models for Rust do the same work, and writes the comparison.
#[derive(Debug, Parser)]
#[command(
    name = "bench-harness",
    version,
    args_conflicts_with_subcommands = true,
    after_help = examples::PROGRAM
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Measure, judge and report (the default)
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Measure a described service in every model, and write a decision record
    #[command(after_help = examples::DECIDE)]
    Decide(DecideArgs),
    /// Measure a service along two axes, and draw where one model takes over from another
    #[command(after_help = examples::MAP)]
    Map(MapArgs),
    /// List strategies, workloads and the cases of a profile
    #[command(after_help = examples::LIST)]
    List {
        /// Profile whose cases to list
        #[arg(long, value_parser = profile_parser(), default_value_t = Profile::Quick)]
        profile: Profile,
    },
    /// Run every cell once at tiny scale and check its answer
    #[command(after_help = examples::CHECK)]
    Check {
        #[command(flatten)]
        programs: ProgramArgs,
        /// Worker threads [default: the CPUs that this process may use]
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        workers: Option<usize>,
        /// Say nothing on standard error but what went wrong
        #[arg(long, short)]
        quiet: bool,
    },
    /// Send HTTP requests to a server on this machine and say how long they took
    #[command(after_help = examples::LOAD)]
    Load(LoadArgs),
    /// Say what changed between two runs, and whether their verdicts contradict each other
    #[command(after_help = examples::COMPARE)]
    Compare {
        /// Folder of the earlier run
        one: PathBuf,
        /// Folder of the later run
        other: PathBuf,
    },
    /// Make the reports of a run again from its journal, or pool several runs of one machine as sessions
    #[command(after_help = examples::REPORT)]
    Report {
        /// Folders of the runs
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Folder for the reports [default: that of the run; needed for several]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Put the matrix and what suits what between the markers of this file
        #[arg(long, value_name = "FILE")]
        splice: Option<PathBuf>,
    },
    /// Print the report of a run in the form that another tool takes
    #[command(after_help = examples::EXPORT)]
    Export {
        /// Folders of the runs; several are pooled as sessions of one machine
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Form of the output
        #[arg(long, value_parser = export_parser())]
        format: Export,
    },
    /// Write and check profile files, which describe a service of your own
    #[command(after_help = examples::PROFILE)]
    Profile {
        #[command(subcommand)]
        action: ProfileCommand,
    },
    /// Print the JSON Schema of `summary.json`
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Check on real cells that the same ties, that extra work is found, and that noise is noticed
    #[command(after_help = examples::SELFTEST)]
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
        /// Say nothing on standard error but what went wrong
        #[arg(long, short)]
        quiet: bool,
    },
    /// Print what makes a shell complete this command line with the Tab key
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Shell that is to read it
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write one for every subcommand too
    #[command(after_help = examples::MAN)]
    Man {
        /// Folder to write the pages of the program and its subcommands to
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Stand beside a strategy as oracle or load generator
    #[command(hide = true)]
    Peer,
    /// Be a noisy neighbour
    #[command(hide = true)]
    Spin,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProfileCommand {
    /// Say what profile files mean on this machine, or what is wrong with them
    #[command(after_help = examples::PROFILE_CHECK)]
    Check {
        /// Profile files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write a commented profile file: an example with values of your own
    #[command(after_help = examples::PROFILE_NEW)]
    New(NewArgs),
}

#[derive(Debug, Args)]
pub(super) struct ProgramArgs {
    /// Strategies to run, separated by commas [default: all]
    #[arg(long = "strategy", value_name = "NAME", value_delimiter = ',')]
    pub(super) strategies: Vec<String>,
    /// Take every executable named `strategy-*` in this folder instead of building them
    #[arg(long, value_name = "DIR")]
    pub(super) bin_dir: Option<PathBuf>,
}

/// How a described service is measured.
#[derive(Debug, Args)]
pub(super) struct MeasureArgs {
    /// How much to measure
    #[arg(long, value_parser = profile_parser(), default_value_t = Profile::Quick)]
    pub(super) profile: Profile,
    #[command(flatten)]
    pub(super) programs: ProgramArgs,
    /// Rounds: process runs of every cell [default: as many as it takes to decide, within the profile's
    /// limits]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rounds: Option<u32>,
    /// Time for measuring, such as 10m, spent where it decides most [default: by profile]
    #[arg(long, value_name = "DURATION", value_parser = time_budget)]
    pub(super) time_budget: Option<Duration>,
    /// Worker threads [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) workers: Option<usize>,
    /// Seed of the random order [default: from the clock]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Folder to write the run to [default: results/TIME-decision or results/TIME-map]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Say nothing on standard error but what went wrong
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    /// Profile file that describes the service
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Leave out what changes of the service would do, to confirm a decision
    #[arg(long)]
    pub(super) described_only: bool,
    #[command(flatten)]
    pub(super) measure: MeasureArgs,
}

#[derive(Debug, Args)]
pub(super) struct MapArgs {
    /// Profile file that describes the service [default: requests that wait 20 ms, compute 100 µs and are
    /// answered with 256 bytes]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// From left to right: connections, cpu, wait, payload, blocking or workers, with the range if it is not
    /// the usual one
    #[arg(long, value_name = "AXIS", default_value = "connections=1..10000")]
    pub(super) x: Span,
    /// Upwards, likewise
    #[arg(long, value_name = "AXIS", default_value = "cpu=1us..1s")]
    pub(super) y: Span,
    /// Points of a decade
    #[arg(long, value_parser = resolution_parser(), default_value = "2")]
    pub(super) per_decade: Resolution,
    /// Measure every point, not only those along borders
    #[arg(long)]
    pub(super) full: bool,
    #[command(flatten)]
    pub(super) measure: MeasureArgs,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// How much to measure
    #[arg(long, value_parser = profile_parser(), default_value_t = Profile::Quick)]
    pub(super) profile: Profile,
    /// Workloads to run, or single cases, such as gather/n=1000, separated by commas [default: all]
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    pub(super) workloads: Vec<String>,
    #[command(flatten)]
    pub(super) programs: ProgramArgs,
    /// Rounds: process runs of every cell [default: as many as it takes to decide, within the profile's
    /// limits]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rounds: Option<u32>,
    /// Time for measuring, such as 10m, spent where it decides most [default: by profile]
    #[arg(long, value_name = "DURATION", value_parser = time_budget)]
    pub(super) time_budget: Option<Duration>,
    /// Worker threads; several numbers, separated by commas, are a sweep: what computes is measured with
    /// each of them, the rest with the largest [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_delimiter = ',', allow_negative_numbers = true)]
    pub(super) workers: Vec<usize>,
    /// Seed of the random order [default: from the clock]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Folder to write the run to [default: results/TIME-PROFILE]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Let the requests of `endpoints` take one second
    #[arg(long)]
    pub(super) faithful: bool,
    /// Seconds after which a process is killed [default: 60, or 300 with --faithful]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) time_limit: Option<u64>,
    /// Go on with a run that was interrupted; everything else is taken from its plan
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "profile", "workloads", "strategies", "rounds", "time_budget", "workers", "seed", "out", "faithful", "time_limit",
    ])]
    pub(super) resume: Option<PathBuf>,
    /// Say nothing on standard error but what went wrong
    #[arg(long, short)]
    pub(super) quiet: bool,
}

fn time_budget(text: &str) -> Result<Duration, String> {
    let budget = humantime::parse_duration(text)
        .map_err(|error| format!("{error}: write it as 10m or 90s"))?;
    if budget < Duration::from_secs(1) {
        return Err("is too short to measure anything: give 1s or more".to_owned());
    }
    Ok(budget)
}

/// Takes the name of a profile.
fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    let value = |profile: Profile| PossibleValue::new(profile.name()).help(profile.about());
    PossibleValuesParser::new(Profile::ALL.map(value))
        .map(|name| Profile::named(&name).expect("it is one of them"))
}

/// Takes the name of an export.
fn export_parser() -> impl TypedValueParser<Value = Export> {
    let value = |export: Export| PossibleValue::new(export.name()).help(export.about());
    let named = |name: String| Export::ALL.into_iter().find(|export| export.name() == name);
    PossibleValuesParser::new(Export::ALL.map(value))
        .map(move |name| named(name).expect("it is one of them"))
}

/// Takes the number of points of a decade.
fn resolution_parser() -> impl TypedValueParser<Value = Resolution> {
    let value = |(name, points)| PossibleValue::new(name).help(points);
    PossibleValuesParser::new(
        [("1", "1, 10, 100"), ("2", "1, 3, 10"), ("3", "1, 2, 5, 10")].map(value),
    )
    .map(|name| match name.as_str() {
        "1" => Resolution::One,
        "2" => Resolution::Two,
        _ => Resolution::Three,
    })
}
