//! Histograms of latencies.

use hdrhistogram::Histogram;

const MAX_LATENCY_NS: u64 = 600_000_000_000;

/// A histogram of nanoseconds with three significant digits.
pub fn histogram(latencies: impl IntoIterator<Item = u64>) -> Histogram<u64> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, MAX_LATENCY_NS, 3)
        .expect("the bounds and three digits are valid");
    latencies.into_iter().for_each(|ns| histogram.saturating_record(ns));
    histogram
}

/// A histogram as (nanoseconds, count).
pub fn steps(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    histogram
        .iter_recorded()
        .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
        .collect()
}
