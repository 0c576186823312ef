//! From the processes of one entry to its row of numbers.

use std::collections::BTreeMap;

use worker::protocol::{Measured, Sample};
use workloads::Metric;

use super::model::{Numbers, Row};
use crate::judge::median;
use crate::plan::{PlannedCase, PlannedEntry};

/// The observation of one process: the median of its samples, or `None` if it did not record what the
/// metric needs.
pub(super) fn value(metric: Metric, operations: u64, measured: &Measured) -> Option<f64> {
    let fact = |sample: &Sample, name: &str| sample.facts.get(name).map(|&value| value as f64);
    let of_sample = |sample: &Sample| match metric {
        Metric::Wall => Some(sample.wall_ns as f64),
        Metric::WallPerOperation => Some(sample.wall_ns as f64 / operations as f64),
        Metric::CpuPerOperation => {
            sample.usage.map(|usage| usage.cpu_ns() as f64 / operations as f64)
        }
        Metric::Capacity => fact(sample, "capacity_per_second").map(|rate| 1e9 / rate.max(1.0)),
        Metric::WorstGap => fact(sample, "worst_gap_ns"),
        Metric::StillRunning => fact(sample, "still_running"),
        // Of all samples together: percentiles are not averaged.
        Metric::LatencyP99 => None,
    };
    if metric == Metric::LatencyP99 {
        return percentile(&merged_latency(&[measured]), 0.99).map(|ns| ns as f64);
    }
    let mut values = measured.samples.iter().map(of_sample).collect::<Option<Vec<_>>>()?;
    let value = median(&mut values);
    // A logarithm is taken of a time, and a process can be too quick for the clock of CPU time. An
    // operation can take less than a nanosecond, but not a thousandth of it.
    Some(if metric == Metric::StillRunning { value } else { value.max(1e-3) })
}

fn median_of(measured: &Measured, of_sample: impl Fn(&Sample) -> f64) -> f64 {
    median(&mut measured.samples.iter().map(of_sample).collect::<Vec<_>>())
}

/// The row of an entry by its processes, one per round.
pub(super) fn row(
    case: &PlannedCase,
    entry: &PlannedEntry,
    processes: &[&Measured],
    value: f64,
) -> Row {
    let how = processes.iter().find_map(|process| process.how.clone());
    let across = |of_process: &dyn Fn(&Measured) -> Option<f64>| {
        let mut values = processes.iter().map(|p| of_process(p)).collect::<Option<Vec<_>>>()?;
        Some(median(&mut values))
    };
    let operations = case.operations as f64;
    let usage = |of_usage: fn(&worker::protocol::Usage) -> u64| {
        across(&|process| {
            let values: Option<Vec<_>> =
                process.samples.iter().map(|s| s.usage.map(|u| of_usage(&u) as f64)).collect();
            // A search does as many operations as it takes.
            let operations = process.fact("operations").map_or(operations, |done| done as f64);
            values.map(|mut values| median(&mut values) / operations)
        })
    };
    let fact = |name: &str| {
        across(&|process| process.fact(name).map(|value| value as f64))
            .filter(|value| value.is_finite())
    };
    let wall_ns = across(&|process| Some(median_of(process, |s| s.wall_ns as f64)))
        .expect("every process has samples");
    let latency = merged_latency(processes);
    let numbers = Numbers {
        rounds: processes.len(),
        samples: processes.iter().map(|process| process.samples.len()).sum(),
        value,
        verdict: None,
        ratio: None,
        limit_share: None,
        wall_ns,
        operations_per_second: fact("capacity_per_second").unwrap_or(operations / wall_ns * 1e9),
        cpu_ns_per_operation: usage(|u| u.cpu_ns()),
        switches_per_operation: usage(|u| u.voluntary_switches + u.involuntary_switches),
        peak_memory_bytes: processes.iter().map(|p| p.peak_memory_bytes).max().flatten(),
        peak_threads: processes.iter().map(|p| p.peak_threads).max().flatten(),
        worker_threads: processes.iter().map(|p| p.worker_threads).max().flatten(),
        latency_p50_ns: percentile(&latency, 0.5),
        latency_p99_ns: percentile(&latency, 0.99),
        predicted_ns: fact("predicted_ns").map(|ns| ns as u64),
        in_flight: fact("peak_in_flight")
            .zip(fact("predicted_in_flight"))
            .map(|(peak, predicted)| (peak as u64, predicted as u64)),
        generator_share: fact("generator_cpu_ns").map(|ns| ns / wall_ns),
        send_lag_p99_ns: fact("send_lag_p99_ns").map(|ns| ns as u64),
        still_running: fact("still_running").map(|count| count as u64),
        peak_depth: fact("peak_depth").map(|depth| depth as u64),
        slowest_stage_ns: fact("slowest_stage_ns").map(|ns| ns as u64),
        price: None,
    };
    Row {
        standing: how.as_ref().map(|how| how.standing),
        form: how.as_ref().map(|how| how.form.clone()),
        link: how.map(|how| how.link),
        numbers: Some(numbers),
        ..Row::without_numbers(entry, None)
    }
}

/// Histograms are merged by their counts; percentiles are never averaged.
fn merged_latency(processes: &[&Measured]) -> BTreeMap<u64, u64> {
    let mut merged = BTreeMap::new();
    for (ns, count) in processes.iter().flat_map(|process| &process.latency_ns) {
        *merged.entry(*ns).or_insert(0) += count;
    }
    merged
}

fn percentile(histogram: &BTreeMap<u64, u64>, share: f64) -> Option<u64> {
    let total: u64 = histogram.values().sum();
    let rank = (total as f64 * share).ceil() as u64;
    let mut seen = 0;
    histogram.iter().find_map(|(&ns, count)| {
        seen += count;
        (seen >= rank.max(1)).then_some(ns)
    })
}
