//! Plans, builds, launches, records, judges and reports the comparison. Links no runtime.

mod check;
mod cli;
mod host;
mod journal;
mod judge;
mod load;
mod plan;
mod programs;
mod report;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::finish(cli::main())
}
