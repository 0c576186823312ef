//! From the processes of one entry to its row of numbers.

use std::collections::BTreeMap;

use workloads::observation::percentile;

use workloads::{Fact, Metric};

use crate::case::{Numbers, Percentile, Row};
use crate::process::Process;
use crate::sessions::Pooled;
use judge::Figure;
use judge::{median, own_value};
use record::{PlannedCase, PlannedEntry};

/// The row of an entry by its processes. A quantity that is the metric has the value's number wherever it stands.
pub(crate) fn row(case: &PlannedCase, entry: &PlannedEntry, pooled: &Pooled<'_>) -> Row {
    let Pooled { processes, value, .. } = pooled;
    let (processes, value) = (&processes[..], *value);
    let how = processes.iter().find_map(|process| process.how.clone());
    let values = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        processes.iter().map(|p| of_process(p)).collect::<Option<Vec<_>>>()
    };
    let across = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        values(of_process).map(|mut values| median(&mut values))
    };
    let own = |of_process: &dyn Fn(&Process) -> Option<f64>| {
        values(of_process).map(|values| own_value(&values))
    };
    // What the case goes by is never computed a second time in another way.
    let figure = |metric: Metric, of_process: &dyn Fn(&Process) -> Option<f64>| {
        if case.metric == metric { Some(value) } else { own(of_process) }
    };
    let fact = |fact: Fact| across(&|process| process.fact(fact));
    let operations = case.operations as f64;
    let wall_ns = match case.metric {
        Metric::WallPerOperation => value.times(operations),
        _ => figure(Metric::Wall, &|process| Some(process.wall_ns)).expect("it is always recorded"),
    };
    let latency = Latency::of(processes);
    let p99 = figure(Metric::LatencyP99, &|_| None).or_else(|| latency.at(0.99));
    let observations: Vec<_> = processes.iter().filter_map(|process| process.value).collect();
    let numbers = Numbers {
        rounds: processes.len(),
        samples: processes.iter().map(|process| process.samples).sum(),
        value,
        observations,
        verdict: None,
        ratio: None,
        ratio_to: None,
        basis: None,
        limit_share: None,
        wall_ns,
        user_ns: across(&|process| process.user_ns),
        system_ns: across(&|process| process.system_ns),
        operations_per_second: match case.metric {
            Metric::Capacity => value.inverse().times(1e9),
            _ => wall_ns.inverse().times(operations * 1e9),
        },
        cpu_ns_per_operation: figure(Metric::CpuPerOperation, &|p| p.cpu_ns_per_operation),
        cpu_verdict: None,
        cpu_ratio: None,
        cpu_ratio_to: None,
        switches_per_operation: own(&|process| process.switches_per_operation),
        peak_memory_bytes: figure(Metric::PeakMemory, &|p| Some(p.peak_memory_bytes? as f64)),
        most_memory_bytes: processes.iter().map(|p| p.peak_memory_bytes).max().flatten(),
        peak_threads: processes.iter().map(|p| p.peak_threads).max().flatten(),
        worker_threads: processes.iter().map(|p| p.worker_threads).max().flatten(),
        latency_p50_ns: latency.at(0.5),
        latency_p99_ns: p99,
        latencies: latency.curve(p99),
        predicted_ns: fact(Fact::PredictedNs).map(|ns| ns as u64),
        in_flight: fact(Fact::PeakInFlight)
            .zip(fact(Fact::PredictedInFlight))
            .map(|(peak, predicted)| (peak as u64, predicted as u64)),
        generator_share: fact(Fact::GeneratorCpuNs).map(|ns| ns / wall_ns.estimate),
        send_lag_p99_ns: fact(Fact::SendLagP99Ns).map(|ns| ns as u64),
        still_running: fact(Fact::StillRunning).map(|count| count as u64),
        peak_depth: fact(Fact::PeakDepth).map(|depth| depth as u64),
        slowest_stage_ns: fact(Fact::SlowestStageNs).map(|ns| ns as u64),
        bytes_per_task: fact(Fact::UserBytesPerTask)
            .zip(fact(Fact::KernelBytesPerTask))
            .map(|(user, kernel)| (user as u64, kernel as u64)),
        active_turn_ns: fact(Fact::ActiveTurnNs).map(|ns| ns as u64),
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

/// Latencies of single operations, of each process and of all together.
struct Latency {
    each: Vec<BTreeMap<u64, u64>>,
    all: BTreeMap<u64, u64>,
}

impl Latency {
    fn of(processes: &[&Process]) -> Self {
        let mut all = BTreeMap::new();
        let each = processes.iter().map(|process| {
            let mut own = BTreeMap::new();
            process.latency.merge_into(&mut own);
            process.latency.merge_into(&mut all);
            own
        });
        Latency { each: each.collect(), all }
    }

    /// The latency that so large a share of the operations did not exceed: the median of the processes, each of
    /// which has to have enough operations beyond it, or else that of all operations together.
    fn at(&self, share: f64) -> Option<Figure> {
        let known = |histogram: &BTreeMap<u64, u64>| {
            let operations = histogram.values().sum::<u64>() as f64;
            let is_known = share.min(1.0 - share) * operations >= BEYOND;
            Some(percentile(histogram, share).filter(|_| is_known)? as f64)
        };
        let each: Option<Vec<_>> = self.each.iter().map(known).collect();
        each.map(|each| own_value(&each)).or_else(|| known(&self.all).map(Figure::without_interval))
    }

    /// Every share that is known, the 99th percentile as it is given.
    fn curve(&self, p99: Option<Figure>) -> Vec<Percentile> {
        let mut last = 0.0;
        let at = |share| if share == 0.99 { p99 } else { self.at(share) };
        let rises = |point: &Percentile| {
            // All operations together may have a shorter tail than the median process.
            let rises = point.ns >= last;
            last = if rises { point.ns } else { last };
            rises
        };
        let points = SHARES.into_iter();
        points
            .filter_map(|share| Some(Percentile { share, ns: at(share)?.estimate }))
            .filter(rises)
            .collect()
    }
}

/// Observations in each of two groups below which they are just scattered.
const GROUP: usize = 2;
/// The gap between two groups as a ratio, at least.
const GAP: f64 = 1.5;

/// How many observations lie around which median, where they fall into two groups.
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
    use super::*;
    use crate::fixtures::process;

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
