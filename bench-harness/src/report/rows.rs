//! From the processes of one entry to its row of numbers.

use worker::observation::{merged_latency, percentile};
use worker::protocol::{Measured, Sample};

use super::model::{Numbers, Row};
use crate::judge::median;
use crate::plan::{PlannedCase, PlannedEntry};

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
        bytes_per_task: fact("user_bytes_per_task")
            .zip(fact("kernel_bytes_per_task"))
            .map(|(user, kernel)| (user as u64, kernel as u64)),
        active_turn_ns: fact("active_turn_ns").map(|ns| ns as u64),
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
