//! The command line of the harness.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use launch::interrupt;
use launch::selection::Choice;
use workloads::UsageError;
use workloads::{Profile, catalog};

use crate::planning;
use crate::prepare::{Settings, Task};
use crate::programs::Source;
use crate::progress::Teller;
use crate::run;
use crate::{check, compare, load, selftest};
use analysis::comparable;
use analysis::{Report, Run};
use report::layout::Look;

mod args;
mod examples;
mod help;
#[cfg(test)]
mod same_again;

use args::{Cli, Command, DecideArgs, MapArgs, MeasureArgs, ProfileCommand, ProgramArgs, RunArgs};

/// Does what the command line says.
pub(crate) fn main() -> anyhow::Result<ExitCode> {
    match help::parse() {
        Cli { command: Some(Command::Peer), .. } => Ok(::load::peer::main()),
        Cli { command: Some(Command::Spin), .. } => Ok(selftest::spin()),
        Cli { command: Some(Command::Selftest { long, seed, out, bin_dir, quiet }), .. } => {
            let strategies = selftest::STRATEGIES.map(str::to_owned).to_vec();
            selftest::selftest(
                &Source::new(bin_dir, strategies)?,
                long,
                seed,
                out,
                Teller::new(quiet),
            )
        }
        Cli { command: Some(Command::Decide(args)), .. } => decide_command(args),
        Cli { command: Some(Command::Map(args)), .. } => map_command(args),
        Cli { command: Some(Command::List { profile }), .. } => list(profile),
        Cli { command: Some(Command::Check { programs, workers, quiet }), .. } => {
            check::check(&source(programs)?, workers, Teller::new(quiet))
        }
        Cli { command: Some(Command::Load(args)), .. } => load::load(&args),
        Cli { command: Some(Command::Report { runs, out, splice }), .. } => {
            report_runs(&runs, out, splice)
        }
        Cli { command: Some(Command::Compare { one, other }), .. } => {
            let (one, other) = (Run::read(&one)?, Run::read(&other)?);
            show(&compare::compare(&one, &other)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Export { runs, format }), .. } => {
            let report = pooled(&runs, "export")?;
            if let Some(left_out) = report::exports::left_out(format, &report) {
                Teller::new(false).insist(&format!("export: {left_out}\n"));
            }
            show(&report::exports::render(format, &report))?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Profile { action }), .. } => profile(action),
        Cli { command: Some(Command::Schema), .. } => {
            show(report::summary::SCHEMA)?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Completions { shell }), .. } => {
            show(&help::completions(shell))?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Man { out: None }), .. } => {
            show(&help::manual())?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Man { out: Some(folder) }), .. } => {
            help::write_manual(&folder)?;
            show(&format!("written to {}\n", folder.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Cli { command: Some(Command::Run(args)), .. } | Cli { command: None, run: args } => {
            run_command(args)
        }
    }
}

fn source(args: ProgramArgs) -> Result<Source, UsageError> {
    Source::new(args.bin_dir, args.strategies)
}

fn run_command(args: RunArgs) -> anyhow::Result<ExitCode> {
    let teller = Teller::new(args.quiet);
    let finished = match args.resume {
        Some(folder) => run::resume(&folder, args.programs.bin_dir, teller)?,
        None => run::start(Settings {
            profile: args.profile,
            task: Task::Compare(Choice {
                workloads: args.workloads,
                params: Vec::new(),
                faithful: args.faithful,
            }),
            source: source(args.programs)?,
            rounds: args.rounds.map(|rounds| rounds as usize),
            time_budget: args.time_budget,
            workers: args.workers,
            seed: args.seed,
            out: args.out,
            time_limit: args.time_limit.map(Duration::from_secs),
            teller,
        })?,
    };
    finish(finished)
}

fn decide_command(args: DecideArgs) -> anyhow::Result<ExitCode> {
    let service = service::read(&args.file)?;
    let lacks = service.lacks_for_any_model();
    if !lacks.is_empty() {
        let file = args.file.display();
        return Err(UsageError(format!("{file} cannot be run here: {}", lacks.join("; "))).into());
    }
    let task = Task::Decide { service, described_only: args.described_only };
    finish(measure(task, args.measure)?)
}

fn map_command(args: MapArgs) -> anyhow::Result<ExitCode> {
    let service = match &args.file {
        Some(file) => service::read(file)?,
        None => record::map::plain(),
    };
    let request = planning::map::Request {
        service,
        x: args.x,
        y: args.y,
        resolution: args.per_decade,
        full: args.full,
    };
    finish(measure(Task::Map(request), args.measure)?)
}

/// Starts a run about a described service.
fn measure(task: Task, args: MeasureArgs) -> anyhow::Result<Option<PathBuf>> {
    run::start(Settings {
        profile: args.profile,
        task,
        source: source(args.programs)?,
        rounds: args.rounds.map(|rounds| rounds as usize),
        time_budget: args.time_budget,
        workers: args.workers.into_iter().collect(),
        seed: args.seed,
        out: args.out,
        time_limit: None,
        teller: Teller::new(args.quiet),
    })
}

/// Makes and shows the report of a run that has ended, and not of one that was interrupted.
fn finish(folder: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let Some(folder) = folder else { return Ok(ExitCode::from(interrupt::EXIT_CODE)) };
    let report = Report::of(&Run::read(&folder)?);
    report::write(&report, &folder)?;
    show(&format!("{}\nwritten to {}\n", rendered(&report), folder.display()))?;
    let failed = report.broken_cells() > 0 || !report.has_numbers();
    Ok(ExitCode::from(if failed { 3 } else { 0 }))
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
    let report = pooled(folders, "report")?;
    std::fs::create_dir_all(&folder)
        .map_err(|error| UsageError(format!("--out {}: {error}", folder.display())))?;
    report::write(&report, &folder)?;
    if let Some(file) = splice {
        report::splice::splice(&file, &report::markdown::overview(&report))?;
    }
    show(&rendered(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn profile(action: ProfileCommand) -> anyhow::Result<ExitCode> {
    match action {
        ProfileCommand::New(args) => show(&service::new(args)?)?,
        ProfileCommand::Check { files } => {
            let (text, mut refusals) =
                service::check(&files, Look::of_stdout().columns, planning::decision::foreseen);
            show(&text)?;
            if let Some(last) = refusals.pop() {
                for refusal in refusals {
                    // Where standard error is closed, the exit code has to do.
                    let _ = writeln!(std::io::stderr(), "error: {refusal}");
                }
                return Err(last.into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The report of several runs of one machine, or of one.
fn pooled(folders: &[PathBuf], command: &str) -> anyhow::Result<Report> {
    let mut places = std::collections::BTreeSet::new();
    if let Some(twice) = folders
        .iter()
        .find(|folder| std::fs::canonicalize(folder).is_ok_and(|place| !places.insert(place)))
    {
        let twice = twice.display();
        let reason = format!("{command}: {twice} is given twice: name each run once");
        return Err(UsageError(reason).into());
    }
    let runs: Vec<_> = folders.iter().map(|folder| Run::read(folder)).collect::<Result<_, _>>()?;
    for other in &runs[1..] {
        comparable::check_sessions(&runs[0], other)?;
    }
    Ok(Report::of_sessions(&runs))
}

fn rendered(report: &Report) -> String {
    report::terminal::render(report, Look::of_stdout())
}

fn show(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

fn list(profile: Profile) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "strategies: {}\n", record::models::names().join(", "))?;
    for entry in catalog() {
        let spec = entry.spec;
        writeln!(out, "{} ({}, by {}): {}", spec.name, spec.class, spec.metric, spec.question)?;
        for case in entry.cases(profile) {
            writeln!(out, "    {:18} {}  limit: {}", case.id, case.params, case.limit.reason())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
