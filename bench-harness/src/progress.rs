//! What a command says on standard error while it works.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::schedule::Next;
use protocol::clean;
use record::Plan;
use report::layout::cut;

/// Takes the cursor back to the first column and clears the line.
const CLEAR: &str = "\r\x1b[K";
/// For terminals that do not say how wide they are.
const USUAL_COLUMNS: usize = 80;

/// Tells on standard error what is going on, unless that is not wanted; whether anybody reads it must not
/// matter to a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller {
    quiet: bool,
}

impl Teller {
    pub(crate) fn new(quiet: bool) -> Self {
        Teller { quiet }
    }

    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    pub(crate) fn tell(self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Tells what has to be known even by those who want to hear of nothing but errors.
    pub(crate) fn insist(self, text: &str) {
        let mut err = std::io::stderr();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

/// Tells how far the run is, between two visits and never during one.
pub(crate) struct Progress {
    teller: Teller,
    /// Whether the line can be drawn over.
    redraws: bool,
    begin: Instant,
    sweep: Option<u32>,
}

/// Time that a run may still take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// What is left of the time budget, where there is one.
    pub(crate) budget: Option<Duration>,
    /// What the rounds that are due will take; in the first round only those are known that have been.
    pub(crate) due: Duration,
}

impl Left {
    /// In words, as far as it is known in this round.
    fn in_words(self, round: u32) -> Option<String> {
        match (round, self.budget) {
            // The first round teaches how long the others take.
            (0, None) => None,
            (0, Some(budget)) => Some(format!("at most {} left", span(budget))),
            (_, Some(budget)) => Some(format!("about {} left", span(self.due.min(budget)))),
            (_, None) => Some(format!("about {} left", span(self.due))),
        }
    }
}

impl Progress {
    pub(crate) fn new(plan: &Plan, teller: Teller) -> Self {
        let rounds = match plan.design.looks.len() {
            0 | 1 => plan.design.most_rounds().to_string(),
            _ => format!("{} to {}", plan.design.first_look(), plan.design.most_rounds()),
        };
        let budget =
            plan.budget().map_or_else(String::new, |budget| format!(", at most {}", span(budget)));
        teller.tell(&format!(
            "{} profile; cases: {}, entries: {}, rounds: {rounds}{budget}, workers: {}, seed: {}\n",
            plan.profile,
            plan.cases.len(),
            plan.entries.len(),
            plan.workers,
            plan.seed
        ));
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let redraws = std::io::stderr().is_terminal() && !dumb && !teller.is_quiet();
        Progress { teller, redraws, begin: Instant::now(), sweep: None }
    }

    pub(crate) fn before(&mut self, case: &str, entry: &str, next: &Next, left: Left) {
        let round = next.round + 1;
        let left = left.in_words(next.round).map_or_else(String::new, |left| format!(", {left}"));
        if self.redraws {
            // What matters most comes first, as a narrow terminal cuts off the rest. The last column stays
            // free: a line that wraps cannot be cleared.
            let line = format!("round {round}{left}: {} on {}", clean(case), clean(entry));
            let line = cut(&line, columns().saturating_sub(1));
            self.teller.tell(&format!("{CLEAR}{line}"));
        } else if self.sweep < Some(next.round) {
            let elapsed = span(self.begin.elapsed());
            self.teller.tell(&format!("round {round} begins after {elapsed}{left}\n"));
        }
        self.sweep = self.sweep.max(Some(next.round));
    }

    pub(crate) fn clear(&self) {
        if self.redraws {
            self.teller.tell(CLEAR);
        }
    }
}

/// Columns of the terminal behind standard error, which may change at any time.
fn columns() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(USUAL_COLUMNS, |(width, _)| width.0.into())
}

/// A time in its two largest units, such as `45 s`, `4 min 10 s` or `1 h 5 min`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let (large, small) = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3600 => ((seconds / 60, "min"), (seconds % 60, "s")),
        3600.. => ((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
    };
    match small {
        (0, _) => format!("{} {}", large.0, large.1),
        _ => format!("{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_at_most_two_units() {
        let shown = |seconds: f64| span(Duration::from_secs_f64(seconds));
        assert_eq!(shown(0.4), "0 s");
        assert_eq!(shown(45.0), "45 s");
        assert_eq!(shown(59.7), "1 min");
        assert_eq!(shown(250.0), "4 min 10 s");
        assert_eq!(shown(3_925.0), "1 h 5 min");
        assert_eq!(shown(7_200.0), "2 h");
    }

    #[test]
    fn the_time_left_is_told_as_soon_as_it_is_known() {
        let due = Duration::from_secs(70);
        let budget = |seconds| Some(Duration::from_secs(seconds));
        let words = |round, budget| Left { budget, due }.in_words(round);
        assert_eq!(words(0, None), None);
        assert_eq!(words(0, budget(240)).unwrap(), "at most 4 min left");
        assert_eq!(words(1, None).unwrap(), "about 1 min 10 s left");
        assert_eq!(words(1, budget(240)).unwrap(), "about 1 min 10 s left");
        assert_eq!(words(1, budget(30)).unwrap(), "about 30 s left");
    }
}
