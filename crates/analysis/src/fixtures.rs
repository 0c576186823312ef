//! Runs for tests.

use protocol::{Digest, Facts, How, Measured, Sample, Usage};
use record::fixtures::plan;
use record::journal::{Measurement, Outcome};

use crate::run::Run;

/// A process whose samples all took `wall_ns` and half of that in CPU time.
pub fn process(wall_ns: u64, how: impl Into<Option<How>>) -> Measured {
    let usage = Usage { user_ns: wall_ns / 2, ..Usage::default() };
    let sample =
        Sample { wall_ns, usage: Some(usage), digest: Digest::of_number(1), facts: Facts::new() };
    Measured {
        how: how.into(),
        warmup_ns: vec![wall_ns],
        samples: vec![sample; 3],
        peak_threads: Some(3),
        worker_threads: Some(2),
        peak_memory_bytes: Some(5 << 20),
        latency_ns: vec![(1_000, 980), (9_000, 20)],
    }
}

/// A run of one case with what each entry measured, by round.
pub fn run(case: &str, outcomes: &[(&str, Vec<Outcome>)]) -> Run {
    let entries: Vec<_> = outcomes.iter().map(|(entry, _)| *entry).collect();
    let rounds = outcomes.iter().map(|(_, outcomes)| outcomes.len()).max().unwrap_or(0);
    let measurements = outcomes.iter().flat_map(|(entry, outcomes)| {
        outcomes.iter().enumerate().map(|(round, outcome)| Measurement {
            round: round as u32,
            case: case.to_owned(),
            entry: (*entry).to_owned(),
            twin: false,
            started_ms: 0,
            visit_ns: 100_000_000,
            outcome: outcome.clone(),
        })
    });
    let measurements = measurements.collect();
    Run::in_memory("example", plan(&[case], &entries, rounds), measurements)
}

/// Outcomes of processes that took so long, nanoseconds.
pub fn walls(walls: &[u64], how: impl Into<Option<How>>) -> Vec<Outcome> {
    let how = how.into();
    walls.iter().map(|&wall| Outcome::Measured(process(wall, how.clone()))).collect()
}
