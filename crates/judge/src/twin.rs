//! An entry against itself.

use crate::design::Design;
use crate::estimate::Estimate;
use crate::figure::Figure;
use crate::series::{ALPHA, Series, common, logs, pairs_of};
use crate::verdict::Verdict;

/// The ratio of a twin to its original, judged with the noise of the contestants that were measured in all
/// of their rounds, and the verdict: tied, slower (the one or the other), or undecided.
pub fn twin(
    series: &[Series],
    original: usize,
    twin: &[Option<f64>],
    design: &Design,
) -> (Figure, Verdict) {
    let block = design.block;
    let mut series = series.to_vec();
    series.push(Series { contestant: true, values: twin.to_vec(), until: None });
    let last = series.len() - 1;
    let both = common(&series, &[original, last]);
    let present = |i: &usize| {
        let series = &series[*i];
        series.contestant
            && both.iter().all(|&round| series.values.get(round).is_some_and(Option::is_some))
    };
    let mut entries: Vec<_> = (0..last).filter(|i| *i == original || present(i)).collect();
    entries.push(last);
    let position = entries.iter().position(|&i| i == original).expect("the original is among them");
    let whole = &both[..both.len() / block * block];
    if whole.is_empty() {
        return (Figure::without_interval(f64::NAN), Verdict::Undecided);
    }
    let k = entries.len();
    let estimate = Estimate::of(&logs(&series, &entries, whole), block, ALPHA, pairs_of(k));
    let theta = estimate.theta(k - 1, position);
    let half = estimate.spread(k - 1, position).map(|spread| spread.half);
    let verdict = match half {
        Some(half) if theta.abs() - half > design.delta() => Verdict::Slower,
        Some(half) if theta.abs() + half < design.delta() => Verdict::Tied,
        _ => Verdict::Undecided,
    };
    (Figure::of_log(theta, half), verdict)
}
