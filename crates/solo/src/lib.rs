//! The command line of a strategy by itself.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::Value;
use workloads::{Entry, Kind, Profile, catalog};

use launch::scratch::Scratch;
use launch::selection::{self, Choice};
use launch::{Placement, Visit, finish, interrupt};
use load::peer;
use protocol::{Failure, FailureKind, How, Measured, ServeRequest, Standing};
use worker::suite::{Body, Variant};
use worker::{cell, speak};
use workloads::{UsageError, observation};

mod table;

/// One strategy by itself: runs its workloads and prints what they took.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a command: all workloads in the quick profile.
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
    /// List the workloads and the form in which this strategy does each
    List,
    /// Run workloads and print a table
    Run(RunArgs),
    /// Serve a workload that is a network service, until Ctrl-C
    Serve(ServeArgs),
    /// Speak the harness's protocol on standard input and output
    #[command(hide = true)]
    Cell,
    /// Stand beside a strategy as oracle or load generator
    #[command(hide = true)]
    Peer,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Workloads to run, or single cases, such as gather/n=1000 [default: all]
    #[arg(value_name = "WORKLOAD", value_delimiter = ',')]
    workloads: Vec<String>,
    /// How much to measure
    #[arg(long, value_parser = profile_parser(), default_value_t = Profile::Quick)]
    profile: Profile,
    /// Worker threads [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    workers: Option<usize>,
    /// Set a parameter; `list` shows the keys
    #[arg(long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Variant of the strategy [default: the first that `list` shows]
    #[arg(long)]
    variant: Option<String>,
    /// Let the requests of `endpoints` take one second
    #[arg(long)]
    faithful: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Service to serve
    workload: String,
    /// Address to listen on; port 0 for any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Worker threads [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    workers: Option<usize>,
    /// Set a parameter; `list` shows the keys
    #[arg(long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Variant of the strategy [default: the first that `list` shows]
    #[arg(long)]
    variant: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One JSON document with every sample
    Json,
}

/// Takes the name of a profile.
fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    let value = |profile: Profile| PossibleValue::new(profile.name()).help(profile.about());
    PossibleValuesParser::new(Profile::ALL.map(value))
        .map(|name| Profile::named(&name).expect("it is one of them"))
}

/// The whole program of a strategy: parses the command line, does what it says, prints an error once
/// and maps it to an exit code.
pub fn main(variants: &[Variant]) -> ExitCode {
    let outcome = match Cli::parse() {
        Cli { command: Some(Command::Cell), .. } => return speak::speak(variants),
        Cli { command: Some(Command::Peer), .. } => return peer::main(),
        Cli { command: Some(Command::List), .. } => list(variants),
        Cli { command: Some(Command::Serve(args)), .. } => serve(variants, args),
        Cli { command: Some(Command::Run(args)), .. } | Cli { command: None, run: args } => {
            run(variants, args)
        }
    };
    finish(outcome)
}

fn chosen<'a>(variants: &'a [Variant], name: Option<&str>) -> Result<&'a Variant, UsageError> {
    let Some(name) = name else { return Ok(&variants[0]) };
    variants.iter().find(|variant| variant.name == name).ok_or_else(|| {
        let known: Vec<_> = variants.iter().map(|variant| variant.name).collect();
        UsageError(format!("unknown variant `{name}`: the variants are {}", known.join(", ")))
    })
}

fn missing(variant: &Variant, workload: &str) -> UsageError {
    let (name, known) = (variant.name, variant.workloads().join(", "));
    UsageError(format!("variant `{name}` has no `{workload}`: it has {known}"))
}

/// This profile, or the smallest for a workload that has cases in no other: one whose parameters the user
/// is to choose.
fn profile_with_cases(entry: &Entry, profile: Profile) -> Profile {
    if entry.cases(profile).is_empty() { Profile::Smoke } else { profile }
}

fn list(variants: &[Variant]) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for variant in variants {
        writeln!(out, "{}, variant {}", variant.strategy, variant.name)?;
        for entry in catalog() {
            let Some(cell) = variant.cell(entry.spec.name) else { continue };
            writeln!(
                out,
                "\n  {} ({}): {}",
                entry.spec.name, entry.spec.class, entry.spec.question
            )?;
            // The usual cases come first; a form that only others have is told too.
            let profiles = [Profile::Quick, Profile::Standard, Profile::Smoke];
            let mut told = Vec::new();
            for case in profiles.into_iter().flat_map(|profile| entry.cases(profile)) {
                let how = (cell.how)(&case.params)?;
                if told.contains(&how) {
                    continue;
                }
                let How { standing, form, link } = &how;
                match standing {
                    Standing::Unsupported => writeln!(out, "    {}: unsupported: {form}", case.id)?,
                    _ => {
                        writeln!(out, "    {}{}: {form}\n      {link}", case.id, standing.remark())?
                    }
                }
                told.push(how);
            }
            for profile in Profile::ALL {
                let ids: Vec<_> = entry.cases(profile).into_iter().map(|case| case.id).collect();
                if !ids.is_empty() {
                    writeln!(out, "    --profile {profile}  {}", ids.join(", "))?;
                }
            }
            let usual = entry.cases(profile_with_cases(&entry, Profile::Quick));
            for key in entry.keys {
                writeln!(out, "    --param {}=…  {}; {}", key.name, key.meaning, key.range)?;
                let mut values: Vec<_> =
                    usual.iter().filter_map(|case| case.params.get(key.name)).collect();
                values.dedup();
                let values: Vec<_> = values.into_iter().map(Value::to_string).collect();
                if !values.is_empty() {
                    writeln!(out, "      usually {}", values.join(", "))?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(variants: &[Variant], args: ServeArgs) -> anyhow::Result<ExitCode> {
    let services: Vec<_> = catalog().into_iter().filter(|e| e.kind == Kind::Service).collect();
    let Some(entry) = services.iter().find(|entry| entry.spec.name == args.workload) else {
        let known: Vec<_> = services.iter().map(|entry| entry.spec.name).collect();
        let (name, known) = (&args.workload, known.join(", "));
        return Err(
            UsageError(format!("`{name}` is not a service: the services are {known}")).into()
        );
    };
    let choice = Choice { workloads: vec![args.workload], params: args.params, faithful: false };
    // The largest case of the standard profile that fits: the one that admits most connections.
    let (entry, case) = selection::cases(profile_with_cases(entry, Profile::Standard), &choice)?
        .into_iter()
        .filter(|(entry, case)| selection::check_fit(entry, case).is_ok())
        .max_by_key(|(_, case)| case.connections)
        .expect("one case fits, or all are refused");
    let variant = chosen(variants, args.variant.as_deref())?;
    let workers = selection::workers(args.workers)?;
    let Some(Body::Serve(start)) = variant.cell(entry.spec.name).map(|cell| &cell.body) else {
        return Err(missing(variant, entry.spec.name).into());
    };
    let listener = TcpListener::bind(args.listen)
        .map_err(|error| UsageError(cell::bind_error(args.listen, &error)))?;
    let request = ServeRequest {
        variant: variant.name.to_owned(),
        workload: entry.spec.name.to_owned(),
        params: case.params,
        workers,
        listen: args.listen,
    };
    let served = start(&request, listener).map_err(describe_failure)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} serves {} on {} with {workers} workers and at most {} connections; Ctrl-C ends it",
        variant.strategy, entry.spec.name, served.address, case.connections
    )
    .and_then(|()| out.flush())
    .context("cannot write to standard output")?;
    drop(out);
    let failure = served.ended.recv().context("the server ended")?;
    Err(describe_failure(failure))
}

fn describe_failure(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", failure.failure, failure.reason)
}

/// One case as it came out.
#[derive(Debug, Serialize)]
struct Outcome {
    case: String,
    params: serde_json::Value,
    operations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Failure>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: u32,
    strategy: &'a str,
    variant: &'a str,
    profile: Profile,
    workers: usize,
    cases: Vec<Outcome>,
}

fn run(variants: &[Variant], args: RunArgs) -> anyhow::Result<ExitCode> {
    let profile = args.profile;
    let variant = chosen(variants, args.variant.as_deref())?;
    let workers = selection::workers(args.workers)?;
    if let Some(name) = args.workloads.iter().find(|name| variant.cell(name).is_none())
        && catalog().iter().any(|entry| entry.spec.name == name)
    {
        return Err(missing(variant, name).into());
    }
    let choice = Choice { workloads: args.workloads, params: args.params, faithful: args.faithful };
    let mut cases = selection::cases(profile, &choice)?;
    cases.retain(|(entry, _)| variant.cell(entry.spec.name).is_some());
    let mut cases = selection::settle(cases, workers, None)?;
    interrupt::stop_on_interrupt().context("cannot watch for Ctrl-C")?;
    let scratch = Scratch::temporary().context("cannot make a temporary folder")?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;

    if args.format == Format::Table {
        let (mut out, Variant { strategy, name, .. }) = (io::stdout().lock(), variant);
        writeln!(out, "{strategy} ({name}), {profile} profile, {workers} workers\n")?;
        table::header(&mut out).and_then(|()| out.flush())?;
    }
    let mut outcomes = Vec::new();
    let mut capacity = None;
    for (entry, case) in &mut cases {
        if case.rated {
            // Here it is this strategy's own, which the case before has measured.
            let grant = selection::grant(workers, Some(capacity.unwrap_or(1_000.0)));
            *case = entry.settle(&case.params, &grant)?;
        }
        let visit = |expected| Visit {
            program: &program,
            peer: &program,
            variant: variant.name,
            workload: entry.spec.name,
            kind: entry.kind,
            backend: entry.backend,
            params: &case.params,
            workers,
            placement: Placement::Free,
            sampling: selection::sampling(profile, case),
            scratch: scratch.path(),
            time_limit: selection::time_limit(args.faithful),
            expected,
        };
        let name = entry.spec.name;
        let expected = launch::oracle(&program, name, &case.params, scratch.path(), workers);
        let outcome = expected.and_then(|expected| visit(expected).run());
        // What failed is only the echo of a Ctrl-C.
        if launch::stopped() {
            break;
        }
        if args.format == Format::Table {
            let mut out = io::stdout().lock();
            table::row(&mut out, case, &outcome).and_then(|()| out.flush())?;
        }
        let (measured, failed) = match outcome {
            Ok(measured) => (Some(measured), None),
            Err(failure) => (None, Some(failure)),
        };
        if let Some(measured) = &measured {
            capacity = observation::capacity(measured).or(capacity);
        }
        let (id, params) = (case.id.clone(), case.params.clone());
        outcomes.push(Outcome { case: id, params, operations: case.operations, measured, failed });
    }
    let broken = outcomes
        .iter()
        .filter_map(|outcome| outcome.failed.as_ref())
        .any(|failure| failure.failure != FailureKind::Unsupported);
    let interrupted = launch::stopped().then_some(outcomes.len());
    match args.format {
        Format::Table => print_remarks(&outcomes)?,
        Format::Json => {
            let (strategy, variant) = (variant.strategy, variant.name);
            let cases = outcomes;
            let document = Document { schema: 1, strategy, variant, profile, workers, cases };
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&document)?)?;
        }
    }
    if let Some(done) = interrupted {
        let _ = writeln!(io::stderr(), "interrupted after {done} of {} cases", cases.len());
        return Ok(ExitCode::from(interrupt::EXIT_CODE));
    }
    Ok(ExitCode::from(if broken { 3 } else { 0 }))
}

/// Why cases have no numbers, and what the numbers are.
fn print_remarks(outcomes: &[Outcome]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out)?;
    for outcome in outcomes {
        if let Some(Failure { failure, reason }) = &outcome.failed {
            writeln!(out, "{}: {failure}: {reason}", outcome.case)?;
        }
    }
    let of_misuse = |outcome: &Outcome| {
        let how = outcome.measured.as_ref().and_then(|measured| measured.how.as_ref());
        how.is_some_and(|how| how.standing == Standing::Misuse)
    };
    if outcomes.iter().any(of_misuse) {
        writeln!(
            out,
            "misuse: a mistake made on purpose; the harness's report says what it costs"
        )?;
    }
    writeln!(out, "medians of the samples; one process, so no interval: run the harness to compare")
}
