//! `check`: every cell once at tiny scale, its answer against the oracle.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use conformance::{Tried, try_all};
use launch::interrupt;
use launch::scratch::Scratch;
use launch::selection;
use protocol::FailureKind;

use crate::interrupt::{stop_on_interrupt, unless_interrupted};
use crate::programs::{Source, own_program};
use crate::progress::Teller;
use protocol::clean;

/// Tries every cell and prints a line for each. Exit code 3 if any failed.
///
/// # Errors
/// If a strategy cannot be built or does not speak the protocol, or an oracle fails.
pub(crate) fn check(
    source: &Source,
    workers: Option<usize>,
    teller: Teller,
) -> anyhow::Result<ExitCode> {
    stop_on_interrupt()?;
    let failed =
        unless_interrupted(try_programs(source, workers, teller), teller, "interrupted\n")?;
    Ok(ExitCode::from(match failed {
        Some(0) => 0,
        Some(_) => 3,
        None => interrupt::EXIT_CODE,
    }))
}

/// Returns how many cells failed.
fn try_programs(source: &Source, workers: Option<usize>, teller: Teller) -> anyhow::Result<u32> {
    let workers = selection::workers(workers)?;
    let scratch = Scratch::temporary().context("cannot make a temporary folder")?;
    let peer = own_program()?;
    let mut out = std::io::stdout().lock();
    let (mut right, mut unsupported, mut failed) = (0, 0, 0);
    for program in source.programs(teller)? {
        let strategy = &program.strategy;
        let tried = try_all(&program.path, &peer, workers, scratch.path())
            .map_err(|failure| anyhow::anyhow!("strategy {strategy}: {}", failure.reason))?;
        // What was tried since is only the echo of a Ctrl-C.
        anyhow::ensure!(!launch::stopped(), "interrupted");
        for Tried { case, variant, result } in tried {
            let outcome = match result {
                Ok(_) => {
                    right += 1;
                    "right".to_owned()
                }
                Err(failure) if failure.failure == FailureKind::Unsupported => {
                    unsupported += 1;
                    format!("unsupported: {}", clean(&failure.reason))
                }
                Err(failure) => {
                    failed += 1;
                    format!("FAILED, {}: {}", failure.failure, clean(&failure.reason))
                }
            };
            writeln!(
                out,
                "{:24} {case:14} {outcome}",
                format!("{strategy} ({})", clean(&variant))
            )?;
        }
    }
    writeln!(out, "\n{right} right, {unsupported} unsupported, {failed} failed")?;
    Ok(failed)
}
