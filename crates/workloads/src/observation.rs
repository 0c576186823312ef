//! What one process measured comes to: one number by the metric of its case.

use std::collections::BTreeMap;

use protocol::{Fact, Facts, Measured, Sample, median, units};

use crate::Metric;

/// The observation of one process: the median of its samples, or `None` if it did not record what the
/// metric needs. Nanoseconds, or a count for what is still running.
pub fn value(metric: Metric, operations: u64, measured: &Measured) -> Option<f64> {
    let fact = |sample: &Sample, fact: Fact| sample.facts.get(&fact).map(|&value| value as f64);
    let of_sample = |sample: &Sample| match metric {
        Metric::Wall => Some(sample.wall_ns as f64),
        Metric::WallPerOperation => Some(sample.wall_ns as f64 / operations as f64),
        Metric::CpuPerOperation => cpu_ns(sample).map(|cpu| cpu / operations as f64),
        Metric::Capacity => capacity_of(sample).map(|rate| 1e9 / rate),
        Metric::WorstGap => fact(sample, Fact::WorstGapNs),
        Metric::StillRunning => fact(sample, Fact::StillRunning),
        Metric::BytesPerTask => {
            let (user, kernel) = (Fact::UserBytesPerTask, Fact::KernelBytesPerTask);
            fact(sample, user).zip(fact(sample, kernel)).map(|(user, kernel)| user + kernel)
        }
        // Of all samples together: percentiles are not averaged.
        Metric::LatencyP99 | Metric::PeakMemory => None,
    };
    if metric == Metric::PeakMemory {
        return measured.peak_memory_bytes.map(|bytes| bytes as f64);
    }
    if metric == Metric::LatencyP99 {
        return percentile(&merged_latency(&[measured]), 0.99).map(|ns| ns as f64);
    }
    let mut values = measured.samples.iter().map(of_sample).collect::<Option<Vec<_>>>()?;
    let value = median(&mut values)?;
    // A logarithm is taken, and a process can be too quick for the clock of CPU time. An operation can
    // take less than a nanosecond, but not a thousandth of it, and a task no memory of its own.
    Some(if metric == Metric::StillRunning { value } else { value.max(1e-3) })
}

/// CPU time of a sample, nanoseconds, as it would be if each class of requests had come exactly as often as
/// described: where a window holds too few requests for that, the difference of what they compute as described is
/// set off. `None` if it was not recorded.
pub fn cpu_ns(sample: &Sample) -> Option<f64> {
    let fact = |fact: Fact| sample.facts.get(&fact).map_or(0.0, |&ns| ns as f64);
    let used = sample.usage?.cpu_ns() as f64;
    let set_off = used + fact(Fact::DescribedCpuNs) - fact(Fact::SentCpuNs);
    // A server that computes nothing cannot have computed less.
    Some(if set_off > 0.0 { set_off } else { used })
}

/// The capacity that a search found, requests a second: the median over the samples, if all have one.
pub fn capacity(measured: &Measured) -> Option<f64> {
    median(&mut measured.samples.iter().map(capacity_of).collect::<Option<Vec<_>>>()?)
}

/// Runs from before the capacity was kept in millionths have whole requests a second, cut off: less than one of them
/// is not known.
fn capacity_of(sample: &Sample) -> Option<f64> {
    let fact = |fact: Fact| sample.facts.get(&fact).map(|&value| value as f64);
    let exact = fact(Fact::CapacityMicroPerSecond).map(|rate| rate / 1e6);
    exact.or_else(|| fact(Fact::CapacityPerSecond)).filter(|rate| *rate > 0.0)
}

/// Writes down a capacity, requests a second.
pub fn note_capacity(facts: &mut Facts, per_second: f64) {
    facts.insert(Fact::CapacityPerSecond, per_second as u64);
    facts.insert(Fact::CapacityMicroPerSecond, (per_second * 1e6).round() as u64);
}

/// A value in the unit of its metric.
pub fn shown(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Capacity => units::per_second(1e9 / value),
        Metric::StillRunning => format!("{value:.0}"),
        Metric::BytesPerTask | Metric::PeakMemory => units::bytes(value),
        _ => units::duration(value),
    }
}

/// Histograms are merged by their counts; percentiles are never averaged.
pub fn merged_latency(processes: &[&Measured]) -> BTreeMap<u64, u64> {
    let mut merged = BTreeMap::new();
    for (ns, count) in processes.iter().flat_map(|process| &process.latency_ns) {
        *merged.entry(*ns).or_insert(0) += count;
    }
    merged
}

/// The latency that a share of the operations did not exceed; `None` without operations.
pub fn percentile(histogram: &BTreeMap<u64, u64>, share: f64) -> Option<u64> {
    let total: u64 = histogram.values().sum();
    let rank = (total as f64 * share).ceil() as u64;
    let mut seen = 0;
    histogram.iter().find_map(|(&ns, count)| {
        seen += count;
        (seen >= rank.max(1)).then_some(ns)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Digest, Usage};

    fn measured(samples: &[(u64, &[(Fact, u64)])], latency_ns: Vec<(u64, u64)>) -> Measured {
        let sample = |&(wall_ns, facts): &(u64, &[(Fact, u64)])| Sample {
            wall_ns,
            usage: None,
            digest: Digest::of_number(0),
            facts: facts.iter().copied().collect(),
        };
        Measured {
            how: None,
            warmup_ns: Vec::new(),
            samples: samples.iter().map(sample).collect(),
            peak_threads: None,
            worker_threads: None,
            peak_memory_bytes: None,
            latency_ns,
        }
    }

    #[test]
    fn every_metric_has_its_value_and_its_unit() {
        let process = measured(
            &[
                (
                    10,
                    &[
                        (Fact::CapacityPerSecond, 1_000),
                        (Fact::WorstGapNs, 5),
                        (Fact::StillRunning, 0),
                    ],
                ),
                (
                    30,
                    &[
                        (Fact::CapacityPerSecond, 4_000),
                        (Fact::WorstGapNs, 7),
                        (Fact::StillRunning, 0),
                    ],
                ),
            ],
            vec![(1_000, 98), (2_000, 1), (9_000, 1)],
        );
        for (metric, right, text) in [
            (Metric::Wall, 20.0, "20.0 ns"),
            (Metric::WallPerOperation, 2.0, "2.00 ns"),
            (Metric::LatencyP99, 2_000.0, "2.00 µs"),
            (Metric::Capacity, 625_000.0, "1.60 k/s"),
            (Metric::WorstGap, 6.0, "6.00 ns"),
            (Metric::StillRunning, 0.0, "0"),
        ] {
            assert_eq!(value(metric, 10, &process), Some(right), "{metric}");
            assert_eq!(shown(metric, right), text, "{metric}");
        }
    }

    #[test]
    fn a_capacity_is_exact_and_that_of_an_older_run_is_read() {
        let mut facts = Facts::new();
        note_capacity(&mut facts, 2.937_125);
        let exact: Vec<_> = facts.into_iter().collect();
        let process = measured(&[(10, &exact)], Vec::new());
        assert_eq!(capacity(&process), Some(2.937_125));
        let each = value(Metric::Capacity, 1, &process).unwrap();
        assert!((each * 2.937_125 / 1e9 - 1.0).abs() < 1e-9, "{each}");
        let of = |whole| measured(&[(10, &[(Fact::CapacityPerSecond, whole)])], Vec::new());
        assert_eq!(capacity(&of(3)), Some(3.0));
        assert_eq!(capacity(&of(0)), None, "less than one was not written down");
    }

    #[test]
    fn cpu_time_is_that_of_the_described_shares() {
        // 500 requests with one of 200 ms, where half a one is described.
        let facts = [(Fact::SentCpuNs, 260_000_000), (Fact::DescribedCpuNs, 160_000_000)];
        let mut process = measured(&[(10, &facts)], Vec::new());
        let usage = Usage { user_ns: 300_000_000, ..Usage::default() };
        process.samples[0].usage = Some(usage);
        assert_eq!(value(Metric::CpuPerOperation, 500, &process), Some(400_000.0));
    }

    #[test]
    fn what_was_not_recorded_has_no_value() {
        let process = measured(&[(10, &[]), (30, &[(Fact::WorstGapNs, 7)])], Vec::new());
        for metric in [
            Metric::CpuPerOperation,
            Metric::LatencyP99,
            Metric::Capacity,
            Metric::WorstGap,
            Metric::StillRunning,
            Metric::BytesPerTask,
        ] {
            assert_eq!(value(metric, 10, &process), None, "{metric}");
        }
    }
}
