//! The observations of the entries of a case, by round.

/// Probability that any interval of a case misses.
pub const ALPHA: f64 = 0.05;

/// The observations of one entry by round, all positive.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Whether it gets a verdict.
    pub contestant: bool,
    /// Its observations, one for each round; none where it was not measured.
    pub values: Vec<Option<f64>>,
    /// The number of rounds after which it was not measured any more.
    pub until: Option<usize>,
}

/// The rounds in which all of these entries have a value.
pub(crate) fn common(series: &[Series], entries: &[usize]) -> Vec<usize> {
    let rounds = entries.iter().map(|&i| series[i].values.len()).min().unwrap_or(0);
    (0..rounds)
        .filter(|&round| entries.iter().all(|&i| series[i].values[round].is_some()))
        .collect()
}

pub(crate) fn logs(series: &[Series], entries: &[usize], rounds: &[usize]) -> Vec<Vec<f64>> {
    let log = |entry: usize, round: usize| {
        series[entry].values[round].expect("the rounds are common to all entries").ln()
    };
    entries.iter().map(|&i| rounds.iter().map(|&round| log(i, round)).collect()).collect()
}

pub(crate) fn pairs_of(k: usize) -> usize {
    (k * k.saturating_sub(1) / 2).max(1)
}
