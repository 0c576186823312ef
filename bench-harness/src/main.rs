//! Plans, builds, launches, records, judges and reports the comparison. Links no runtime.

mod calibration;
mod capacity;
mod cargo;
mod check;
mod cli;
mod comparable;
mod compare;
mod contest;
mod decide;
mod executable;
mod figure;
mod histogram;
mod host;
mod journal;
mod judge;
mod load;
mod map;
mod noise;
mod plan;
mod process;
mod programs;
mod progress;
mod report;
mod run;
mod schedule;
mod selftest;
mod service;
mod setting;
mod sources;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::finish(cli::main())
}
