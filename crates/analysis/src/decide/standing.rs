//! How the options of a case stand to each other.

use judge::Verdict;
use record::PlannedEntry;
use record::service::ServiceProfile;

use crate::case::{CaseReport, Row};
use crate::decide::decision::Outcome;
use crate::decide::limits::strategy_of;
use crate::text::{By, ratio};

/// How the options of a case stand to each other.
pub(super) struct Standing {
    /// The one that is ahead of all others.
    pub(super) ahead: Option<String>,
    /// Best, tied, or alone.
    pub(super) best: Vec<String>,
    /// Undecided.
    pub(super) open: Vec<String>,
    /// Slower, with the ratio in words.
    pub(super) slower: Vec<(String, String)>,
}

impl Standing {
    pub(super) fn of(case: &CaseReport, entries: &[PlannedEntry]) -> Self {
        let mut standing =
            Standing { ahead: None, best: Vec::new(), open: Vec::new(), slower: Vec::new() };
        let eligible = |row: &&Row| {
            entries.iter().any(|entry| entry.id == row.entry && entry.excluded.is_none())
        };
        for row in case.rows.iter().filter(eligible) {
            let Some(numbers) = &row.numbers else { continue };
            if numbers.verdict == Some(Verdict::Best) {
                standing.ahead = Some(row.entry.clone());
            }
            match numbers.verdict {
                Some(Verdict::Best | Verdict::Tied | Verdict::Alone) => {
                    standing.best.push(row.entry.clone());
                }
                Some(Verdict::Undecided) => standing.open.push(row.entry.clone()),
                Some(Verdict::Slower) => {
                    standing.slower.push((row.entry.clone(), ratio(case, row, By::Metric)));
                }
                None => {}
            }
        }
        standing
    }

    pub(super) fn outcome(&self, service: &ServiceProfile) -> (Outcome, Option<String>) {
        let preferred = service
            .preferences
            .order
            .iter()
            .find_map(|name| self.best.iter().find(|entry| strategy_of(entry) == name));
        match (&self.best[..], &self.open[..], preferred) {
            ([only], [], _) => (Outcome::Clear, Some(only.clone())),
            // Others may be less than the margin behind, but none is ahead of it.
            ([only], _, _) if self.ahead.as_ref() == Some(only) => {
                (Outcome::Clear, Some(only.clone()))
            }
            // Who is certified to be among the best stays there, whatever becomes of the others.
            ([_, ..], _, Some(preferred)) => (Outcome::ByPreference, Some(preferred.clone())),
            ([_, _, ..], [], None) => (Outcome::Tied, None),
            ([], [], _) => (Outcome::Nobody, None),
            _ => (Outcome::Undecided, None),
        }
    }

    /// What would tell.
    pub(super) fn settles(&self, case: &CaseReport) -> String {
        let rounds = case
            .rows
            .iter()
            .filter(|row| self.open.contains(&row.entry))
            .filter_map(|row| row.numbers.as_ref()?.basis?.needs)
            .fold(0.0, f64::max);
        let rounds = rounds.ceil();
        let all: Vec<_> = self.best.iter().chain(&self.open).cloned().collect();
        let open = all.join(", ");
        if all.is_empty() {
            return "a run in which rounds count: a quieter machine, or more time (--time-budget 20m)".to_owned();
        }
        match rounds {
            needed if needed > 0.0 && needed <= 120.0 => format!(
                "about {needed:.0} rounds of {} would tell {open} apart (--described-only --rounds {needed:.0})",
                case.id
            ),
            // With one or two rounds nothing is known of the noise.
            0.0 => format!("more rounds would tell {open} apart (--time-budget 20m)"),
            _ => format!(
                "{open} are too close or too noisy here for any practical number of rounds: a quieter machine \
                 (--profile thorough) or a declared order of preference would settle it"
            ),
        }
    }
}
