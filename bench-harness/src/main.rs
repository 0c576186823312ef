//! Plans, builds, launches, records, judges and reports the comparison. Links no runtime.

mod check;
mod cli;
mod host;
mod journal;
mod judge;
mod plan;
mod programs;
mod report;
mod run;

use std::io;
use std::process::ExitCode;

use worker::selection::UsageError;

fn main() -> ExitCode {
    cli::main().unwrap_or_else(|error| {
        let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
        if error.chain().filter_map(|cause| cause.downcast_ref()).any(closed) {
            // Whoever read the output has seen enough.
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
    })
}
