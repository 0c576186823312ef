//! `check`: every cell once at tiny scale, its answer against the oracle.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use worker::launch::{self, Visit};
use worker::protocol::{FailureKind, SamplingPlan};
use worker::selection::{self, Choice};
use workloads::Profile;

use crate::plan::entries;
use crate::programs::Source;
use crate::run::own_program;

/// Runs every cell and prints one line for each. Exit code 3 if any failed.
///
/// # Errors
/// If a strategy cannot be built, or an oracle fails.
pub(crate) fn check(source: &Source, workers: Option<usize>) -> anyhow::Result<ExitCode> {
    let workers = selection::workers(workers)?;
    let cases = selection::cases(Profile::Smoke, &Choice::default())?;
    let programs = source.programs()?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let peer = own_program()?;
    let mut out = std::io::stdout().lock();
    let (mut right, mut unsupported, mut failed) = (0, 0, 0);
    for (workload, case) in &cases {
        let expected = launch::oracle(&peer, workload.spec.name, &case.params, scratch.path())
            .map_err(|failure| anyhow::anyhow!("the oracle of {}: {}", case.id, failure.reason))?;
        for entry in entries(&programs) {
            let program = programs.iter().find(|p| p.strategy == entry.strategy);
            let visit = Visit {
                program: &program.context("every entry has its program")?.path,
                peer: &peer,
                variant: &entry.variant,
                workload: workload.spec.name,
                kind: workload.kind,
                params: &case.params,
                workers,
                sampling: SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 },
                scratch: scratch.path(),
                time_limit: selection::time_limit(false),
                expected,
            };
            let verdict = match visit.run() {
                Ok(_) => {
                    right += 1;
                    "right".to_owned()
                }
                Err(failure) if failure.failure == FailureKind::Unsupported => {
                    unsupported += 1;
                    format!("unsupported: {}", failure.reason)
                }
                Err(failure) => {
                    failed += 1;
                    format!("FAILED, {}: {}", failure.failure, failure.reason)
                }
            };
            writeln!(out, "{:16} {:18} {verdict}", case.id, entry.id)?;
        }
    }
    writeln!(out, "\n{right} right, {unsupported} unsupported, {failed} failed")?;
    Ok(ExitCode::from(if failed > 0 { 3 } else { 0 }))
}
