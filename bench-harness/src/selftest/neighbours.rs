//! Neighbours that compute: the gate has to notice them, and no verdict may turn round.

use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use anyhow::Context;
use launch::Live;

use crate::programs::own_program;
use crate::selftest::bench::Bench;
use crate::selftest::check::{Check, is_share, percent};
use crate::selftest::permutation::{contest, contradict, verdicts, verdicts_in_noise};
use judge::Verdict;

/// The hidden subcommand that is a neighbour.
const SUBCOMMAND: &str = "spin";

/// Rounds of one run; what the most looks of `quick` take.
const ROUNDS: usize = 8;

/// Computes on one thread until standard input closes.
pub(crate) fn spin() -> ExitCode {
    static STOP: AtomicBool = AtomicBool::new(false);
    let busy = thread::spawn(|| {
        while !STOP.load(Relaxed) {
            std::hint::spin_loop();
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    STOP.store(true, Relaxed);
    let _ = busy.join();
    ExitCode::SUCCESS
}

/// A process that computes as long as this is held.
struct Neighbour {
    process: Child,
    /// Ctrl-C ends it too.
    live: Option<Live>,
}

impl Neighbour {
    fn start() -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(own_program()?);
        command.arg(SUBCOMMAND).stdin(Stdio::piped()).process_group(0);
        let process = command.spawn().context("cannot start a neighbour")?;
        let live = Some(Live::new(process.id()));
        Ok(Neighbour { process, live })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.live.take().map(|live| live.reap(&mut self.process));
    }
}

pub(super) fn checks(bench: &mut Bench, rounds: usize) -> anyhow::Result<Vec<Check>> {
    let cells = contest(bench)?;
    let mut quiet = Vec::new();
    for _ in 0..ROUNDS {
        quiet.push(bench.round(&cells)?.values);
    }
    let quiet = verdicts(&quiet);
    let order: Vec<_> = (0..cells.len()).collect();
    let mut checks = Vec::new();
    for count in [1, 2] {
        let (mut fired, mut values) = (0, Vec::new());
        // Their CPU time is foreign as long as they live: only children that have ended are this process's.
        let neighbours =
            (0..count).map(|_| Neighbour::start()).collect::<anyhow::Result<Vec<_>>>()?;
        for _ in 0..rounds {
            let round = bench.round_in(&cells, &order)?;
            fired += usize::from(round.rejected);
            values.push(round.values);
        }
        drop(neighbours);
        let runs: Vec<_> = values.chunks_exact(ROUNDS).map(verdicts_in_noise).collect();
        let turned = runs.iter().filter(|verdicts| contradict(verdicts, &quiet)).count();
        let decided = |verdicts: &Vec<Verdict>| !verdicts.contains(&Verdict::Undecided);
        let settled = runs.iter().filter(|verdicts| decided(verdicts)).count();
        let neighbours = if count == 1 { "one neighbour" } else { "two neighbours" };
        checks.push(Check::new(
            format!("{neighbours}: rounds that the gate rejects"),
            "95 %",
            percent(fired, rounds),
            is_share(fired, rounds, 0.95),
        ));
        checks.push(Check::new(
            format!("{neighbours}, their rounds taken as on a noisy host: runs whose verdicts turn round"),
            "none",
            format!("{}; {settled} leave nothing undecided", percent(turned, runs.len())),
            turned == 0,
        ));
    }
    Ok(checks)
}
