//! What a run says on standard error.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use crate::plan::Plan;
use crate::schedule::Next;

/// Writes to standard error; whether anybody reads it must not matter to a run.
pub(crate) fn tell(text: &str) {
    let mut err = std::io::stderr();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Tells on standard error how far the run is, between two visits and never during one.
pub(crate) struct Progress {
    terminal: bool,
    begin: Instant,
    sweep: Option<u32>,
}

impl Progress {
    pub(crate) fn new(plan: &Plan) -> Self {
        let rounds = match plan.design.looks.len() {
            0 | 1 => plan.design.most_rounds().to_string(),
            _ => format!("{} to {}", plan.design.first_look(), plan.design.most_rounds()),
        };
        let budget = plan.budget().map_or_else(String::new, |budget| {
            format!(", at most {}", humantime::format_duration(budget))
        });
        tell(&format!(
            "{} profile; cases: {}, entries: {}, rounds: {rounds}{budget}, workers: {}, seed: {}\n",
            plan.profile,
            plan.cases.len(),
            plan.entries.len(),
            plan.workers,
            plan.seed
        ));
        Progress { terminal: std::io::stderr().is_terminal(), begin: Instant::now(), sweep: None }
    }

    pub(crate) fn before(&mut self, case: &str, entry: &str, next: &Next, seconds_left: f64) {
        let round = next.round + 1;
        if self.terminal {
            // The first round teaches how long the others take.
            let left = match next.round {
                0 => String::new(),
                _ => format!(", about {seconds_left:.0} s left"),
            };
            tell(&format!("\r\x1b[K{case} on {entry}, round {round}{left}"));
        } else if self.sweep < Some(next.round) {
            let elapsed = self.begin.elapsed().as_secs_f64();
            tell(&format!("round {round} begins after {elapsed:.0} s\n"));
        }
        self.sweep = self.sweep.max(Some(next.round));
    }

    pub(crate) fn clear(&self) {
        if self.terminal {
            tell("\r\x1b[K");
        }
    }
}
