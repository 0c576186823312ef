//! `selftest`: whether the promises hold on this machine, on real cells whose right answer is known.
//!
//! The same entry twice has to tie, extra work has to be found, known ratios have to come out, order and
//! labels must not matter, neighbours have to be noticed, and a server's stop has to show in the latencies.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use launch::interrupt;
use serde::Serialize;
use workloads::Profile;

use crate::interrupt::{stop_on_interrupt, unless_interrupted};
use crate::programs::Source;
use crate::progress::Teller;
use crate::selftest::check::Check;
use record::journal::to_json;

mod bench;
mod check;
mod injection;
mod neighbours;
mod permutation;
mod server;
mod twins;

pub(crate) use bench::STRATEGIES;
pub(crate) use neighbours::spin;

/// How much is measured.
#[derive(Debug, Clone, Copy, Serialize)]
struct Extent {
    /// Repetitions of each cell against itself with the looks of `standard`, and with those of `thorough`.
    twins: [usize; 2],
    /// Trials with extra work.
    injections: usize,
    /// Rounds with each number of neighbours.
    neighbours: usize,
    /// Repetitions in each order.
    orders: usize,
    /// Seconds of load around the stop of a server.
    load_seconds: u64,
}

const SHORT: Extent =
    Extent { twins: [2, 0], injections: 2, neighbours: 8, orders: 1, load_seconds: 4 };
const LONG: Extent =
    Extent { twins: [25, 4], injections: 40, neighbours: 40, orders: 10, load_seconds: 20 };

/// The host is noisy if the gate rejects more than this part of the rounds although no neighbour was started.
const NOISY: f64 = 0.05;

/// What is written to `selftest.json`.
#[derive(Debug, Serialize)]
struct Outcome {
    schema: u32,
    long: bool,
    extent: Extent,
    seed: u64,
    seconds: u64,
    /// Rounds that the gate rejected although no neighbour was started, and all of these.
    quiet_rounds_rejected: [usize; 2],
    checks: Vec<Check>,
}

/// Runs all tests and prints the table. Exit code 3 if a target was missed.
///
/// # Errors
/// If a strategy cannot be built, a cell fails, or the result cannot be written.
pub(crate) fn selftest(
    source: &Source,
    long: bool,
    seed: u64,
    out: Option<PathBuf>,
    teller: Teller,
) -> anyhow::Result<ExitCode> {
    stop_on_interrupt()?;
    let measured = measure(source, long, seed, teller);
    let Some(outcome) = unless_interrupted(measured, teller, "interrupted\n")? else {
        return Ok(ExitCode::from(interrupt::EXIT_CODE));
    };
    let table = table(&outcome);
    if let Some(folder) = out {
        let write = |name: &str, text: &str| fs::write(folder.join(name), text);
        fs::create_dir_all(&folder)
            .and_then(|()| write("selftest.json", &to_json(&outcome)))
            .and_then(|()| write("selftest.md", &table))
            .with_context(|| format!("cannot write to {}", folder.display()))?;
    }
    let missed = outcome.checks.iter().any(|check| check.met == Some(false));
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{table}").context("cannot write to standard output")?;
    Ok(ExitCode::from(if missed { 3 } else { 0 }))
}

fn measure(source: &Source, long: bool, seed: u64, teller: Teller) -> anyhow::Result<Outcome> {
    let extent = if long { LONG } else { SHORT };
    let mut bench = bench::Bench::new(source.programs(teller)?, seed)?;
    let begin = Instant::now();
    let mut checks = Vec::new();
    teller.tell("the same entry twice\n");
    for (profile, repetitions) in
        [Profile::Standard, Profile::Thorough].into_iter().zip(extent.twins)
    {
        checks.extend(twins::checks(&mut bench, profile, repetitions)?);
    }
    teller.tell("extra work and known ratios\n");
    checks.extend(injection::checks(&mut bench, extent.injections)?);
    teller.tell("order and labels\n");
    checks.extend(permutation::checks(&mut bench, extent.orders)?);
    let quiet_rounds_rejected = bench.gate.rejected();
    teller.tell("noisy neighbours\n");
    checks.extend(neighbours::checks(&mut bench, extent.neighbours)?);
    teller.tell("a server that stops\n");
    checks.push(server::check(&bench, extent.load_seconds)?);
    Ok(Outcome {
        schema: record::SCHEMA,
        long,
        extent,
        seed,
        seconds: begin.elapsed().as_secs(),
        quiet_rounds_rejected,
        checks,
    })
}

/// As Markdown, which is readable as text too.
fn table(outcome: &Outcome) -> String {
    let mut out = String::from("| test | target | measured | met |\n| --- | --- | --- | --- |\n");
    let [rejected, rounds] = outcome.quiet_rounds_rejected;
    let noisy = rejected as f64 > NOISY * rounds as f64;
    for Check { test, target, measured, met, needs_quiet } in &outcome.checks {
        let met = match met {
            None => "—",
            Some(true) => "yes",
            Some(false) if noisy && *needs_quiet => "NO, on a noisy host",
            Some(false) => "NO",
        };
        let _ = writeln!(out, "| {test} | {target} | {measured} | {met} |");
    }
    let form = if outcome.long { "long" } else { "short" };
    let _ = writeln!(
        out,
        "\n{form} form, {} s, seed {}; without neighbours of its own the gate rejected {rejected} of {rounds} rounds",
        outcome.seconds, outcome.seed
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::check::percent;

    fn check(met: bool) -> Check {
        Check::new("a test", "all", percent(1, 2), met)
    }

    /// Of a hundred rounds so many were rejected.
    fn outcome(rejected: usize, checks: Vec<Check>) -> Outcome {
        Outcome {
            schema: 4,
            long: false,
            extent: SHORT,
            seed: 1,
            seconds: 2,
            quiet_rounds_rejected: [rejected, 100],
            checks,
        }
    }

    #[test]
    fn the_table_names_what_was_missed() {
        let table = table(&outcome(1, vec![check(true), check(false)]));
        assert!(table.contains("| a test | all | 1 of 2 (50.0 %) | NO |"), "{table}");
        assert!(table.ends_with("rejected 1 of 100 rounds\n"), "{table}");
    }

    #[test]
    fn what_has_no_target_is_neither_met_nor_missed() {
        let table = table(&outcome(1, vec![Check::for_information("a test", percent(1, 2))]));
        let row = "| a test | for information | 1 of 2 (50.0 %) | — |";
        assert!(table.contains(row), "{table}");
    }

    #[test]
    fn a_noisy_host_is_named_where_noise_alone_can_have_missed_the_target() {
        let checks = vec![check(false).on_a_quiet_host(), check(false)];
        let table = |rejected| table(&outcome(rejected, checks.clone()));
        let missed = |rejected| table(rejected).matches("| NO |").count();
        assert_eq!((missed(5), missed(6)), (2, 1));
        assert!(table(6).contains("| NO, on a noisy host |"));
    }
}
