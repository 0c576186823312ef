//! One line of the self-test's table, and how trials become one.

use judge::{Design, Judgement, Series};
use serde::Serialize;

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    pub(super) test: String,
    pub(super) target: String,
    pub(super) measured: String,
    /// `None` where nothing is asked for.
    pub(super) met: Option<bool>,
    /// Whether noise alone can have it missed: it asks how much is found, not whether what is found is true.
    pub(super) needs_quiet: bool,
}

impl Check {
    /// A figure and whether it meets its target.
    pub(super) fn new(test: impl Into<String>, target: &str, measured: String, met: bool) -> Self {
        let target = target.to_owned();
        Check { test: test.into(), target, measured, met: Some(met), needs_quiet: false }
    }

    /// A figure without a target.
    pub(super) fn for_information(test: impl Into<String>, measured: String) -> Self {
        let target = "for information".to_owned();
        Check { test: test.into(), target, measured, met: None, needs_quiet: false }
    }

    /// The same, where noise alone can have the target missed.
    pub(super) fn on_a_quiet_host(self) -> Self {
        Check { needs_quiet: true, ..self }
    }
}

/// A judgement of entries by rounds of values, each with one value an entry.
pub(super) fn judge(rounds: &[Vec<f64>], design: &Design) -> Judgement {
    let entries = rounds.first().map_or(0, Vec::len);
    let series = |entry: usize| Series {
        contestant: true,
        values: rounds.iter().map(|values| Some(values[entry])).collect(),
        until: None,
    };
    Judgement::of(&(0..entries).map(series).collect::<Vec<_>>(), design)
}

/// Whether so many of all are a share, or fall short of it by no more than two standard deviations: with few
/// trials one miss says nothing.
pub(super) fn is_share(count: usize, of: usize, share: f64) -> bool {
    let (count, of) = (count as f64, of as f64);
    count >= share * of - 2.0 * (of * share * (1.0 - share)).sqrt()
}

/// A count as a share of all, such as `9 of 10 (90.0 %)`.
pub(super) fn percent(count: usize, of: usize) -> String {
    format!("{count} of {of} ({:.1} %)", 100.0 * count as f64 / of.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_miss_of_a_few_is_chance_and_many_are_not() {
        assert!(is_share(11, 12, 0.95));
        assert!(!is_share(9, 12, 0.95));
        assert!(is_share(278, 300, 0.95));
        assert!(!is_share(270, 300, 0.95));
    }
}
