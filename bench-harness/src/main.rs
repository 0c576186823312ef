//! Plans, builds, launches, records, judges and reports the comparison. Links no runtime.

mod capacity;
mod cargo;
mod check;
mod cli;
mod compare;
mod executable;
mod host;
mod interrupt;
mod load;
mod noise;
mod planning;
mod prepare;
mod programs;
mod progress;
mod run;
mod schedule;
mod selftest;
mod session;
mod sources;

use std::process::ExitCode;

fn main() -> ExitCode {
    launch::finish(cli::main())
}
