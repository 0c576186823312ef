//! From the processes of one entry to its row of numbers.

use std::collections::BTreeMap;

use worker::observation::percentile;

use super::model::{Numbers, Percentile, Row};
use crate::judge::{median, with_interval};
use crate::plan::{PlannedCase, PlannedEntry};
use crate::process::Process;

/// The row of an entry by its processes.
pub(super) fn row(
    case: &PlannedCase,
    entry: &PlannedEntry,
    processes: &[&Process],
    value: f64,
) -> Row {
    let how = processes.iter().find_map(|process| process.how.clone());
    let values = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        processes.iter().map(|p| of_process(p)).collect::<Option<Vec<_>>>()
    };
    let across = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        values(of_process).map(|mut values| median(&mut values))
    };
    let figure = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        let mut values = values(of_process)?;
        let estimate = median(&mut values);
        Some(with_interval(estimate, &values))
    };
    let fact = |name: &str| across(&|process| process.fact(name));
    let wall_ns = figure(&|process| Some(process.wall_ns)).expect("every process has samples");
    // Histograms are merged by their counts; percentiles are never averaged.
    let mut latency = BTreeMap::new();
    processes.iter().for_each(|process| process.latency.merge_into(&mut latency));
    let observations: Vec<_> = processes.iter().filter_map(|process| process.value).collect();
    let numbers = Numbers {
        rounds: processes.len(),
        samples: processes.iter().map(|process| process.samples).sum(),
        value: with_interval(value, &observations),
        observations,
        verdict: None,
        ratio: None,
        basis: None,
        limit_share: None,
        wall_ns,
        user_ns: across(&|process| process.user_ns),
        system_ns: across(&|process| process.system_ns),
        operations_per_second: figure(&|process| process.capacity)
            .unwrap_or_else(|| wall_ns.inverse().times(case.operations as f64 * 1e9)),
        cpu_ns_per_operation: figure(&|process| process.cpu_ns_per_operation),
        cpu_verdict: None,
        cpu_ratio: None,
        switches_per_operation: figure(&|process| process.switches_per_operation),
        peak_memory_bytes: processes.iter().map(|p| p.peak_memory_bytes).max().flatten(),
        peak_threads: processes.iter().map(|p| p.peak_threads).max().flatten(),
        worker_threads: processes.iter().map(|p| p.worker_threads).max().flatten(),
        latency_p50_ns: percentile(&latency, 0.5),
        latency_p99_ns: percentile(&latency, 0.99),
        latencies: percentiles(&latency),
        predicted_ns: fact("predicted_ns").map(|ns| ns as u64),
        in_flight: fact("peak_in_flight")
            .zip(fact("predicted_in_flight"))
            .map(|(peak, predicted)| (peak as u64, predicted as u64)),
        generator_share: fact("generator_cpu_ns").map(|ns| ns / wall_ns.estimate),
        send_lag_p99_ns: fact("send_lag_p99_ns").map(|ns| ns as u64),
        still_running: fact("still_running").map(|count| count as u64),
        peak_depth: fact("peak_depth").map(|depth| depth as u64),
        slowest_stage_ns: fact("slowest_stage_ns").map(|ns| ns as u64),
        bytes_per_task: fact("user_bytes_per_task")
            .zip(fact("kernel_bytes_per_task"))
            .map(|(user, kernel)| (user as u64, kernel as u64)),
        active_turn_ns: fact("active_turn_ns").map(|ns| ns as u64),
        drift: across(&|process| process.drift),
        groups: groups(processes),
        price: None,
    };
    Row {
        standing: how.as_ref().map(|how| how.standing),
        form: how.as_ref().map(|how| how.form.clone()),
        link: how.map(|how| how.link.clone()),
        numbers: Some(numbers),
        ..Row::without_numbers(entry, None)
    }
}

/// Shares of the operations whose latency is reported.
const SHARES: [f64; 19] = [
    0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999,
    0.9995, 0.9999,
];
/// Operations beyond a percentile, without which it is a matter of luck.
const BEYOND: f64 = 5.0;

/// The distribution of latencies, as far as there are enough operations to know it.
fn percentiles(latency: &BTreeMap<u64, u64>) -> Vec<Percentile> {
    let operations = latency.values().sum::<u64>() as f64;
    let known = |&share: &f64| share.min(1.0 - share) * operations >= BEYOND;
    let at = |share| Some(Percentile { share, ns: percentile(latency, share)? });
    SHARES.into_iter().filter(known).filter_map(at).collect()
}

/// Observations in each of two groups below which they are just scattered.
const GROUP: usize = 2;
/// The gap between two groups as a ratio, at least.
const GAP: f64 = 1.5;

/// How many observations lie around which typical value, where they fall into two groups.
fn groups(processes: &[&Process]) -> Option<[(usize, f64); 2]> {
    let mut values: Vec<f64> = processes.iter().filter_map(|process| process.value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(GROUP)?;
    let gap = |&cut: &usize| values[cut] / values[cut - 1];
    let cut = (GROUP..=last).max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
    let (low, high) = values.split_at(cut);
    let width = |group: &[f64]| group[group.len() - 1] / group[0];
    // A gap that is no wider than the groups is a tail.
    let apart = gap(&cut) > GAP && gap(&cut) > width(low) && gap(&cut) > width(high);
    let group = |group: &[f64]| (group.len(), median(&mut group.to_vec()));
    apart.then(|| [group(low), group(high)])
}

#[cfg(test)]
mod tests {
    use workloads::Metric;

    use super::*;
    use crate::report::tests::process;

    #[test]
    fn observations_that_fall_into_two_groups_are_told_from_a_tail() {
        let groups_of = |walls: &[u64]| {
            let of = |&wall: &u64| Process::of(Metric::Wall, 1, &process(wall, None));
            let processes: Vec<_> = walls.iter().map(of).collect();
            groups(&processes.iter().collect::<Vec<_>>())
        };
        let two = groups_of(&[100, 410, 110, 400, 105]);
        assert_eq!(two, Some([(3, 105.0), (2, 405.0)]));
        assert_eq!(groups_of(&[100, 150, 220, 330, 500]), None);
        assert_eq!(groups_of(&[100, 101, 102, 900]), None, "one is an outlier");
        assert_eq!(groups_of(&[100, 900]), None);
    }
}
