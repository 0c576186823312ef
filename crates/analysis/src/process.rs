//! What a report needs to know of one process run of a cell, without its samples.

use std::rc::Rc;

use protocol::{Fact, How, Measured, Sample, Usage};
use workloads::Metric;
use workloads::observation;

use crate::histogram::Histogram;
use judge::median;

/// Samples of a process below which its beginning and end are not compared.
const SAMPLES_TO_COMPARE: usize = 6;

/// One process run of one cell; times in nanoseconds.
#[derive(Debug, Clone)]
pub struct Process {
    /// The form in which it was done.
    pub how: Option<Rc<How>>,
    /// The observation by the metric of the case, if the process recorded what that needs.
    pub value: Option<f64>,
    /// Wall time of one run, the median of the samples.
    pub wall_ns: f64,
    /// CPU time of one timed run in user and in kernel mode.
    pub user_ns: Option<f64>,
    /// CPU time of one timed run in kernel mode.
    pub system_ns: Option<f64>,
    /// User plus system CPU time of one operation.
    pub cpu_ns_per_operation: Option<f64>,
    /// Context switches of one operation.
    pub switches_per_operation: Option<f64>,
    /// Timed runs.
    pub samples: usize,
    /// Time inside measured windows and their warm-up.
    pub measured_ns: u64,
    /// Most threads at once.
    pub peak_threads: Option<u64>,
    /// Threads on which operations ran.
    pub worker_threads: Option<u64>,
    /// Peak resident memory.
    pub peak_memory_bytes: Option<u64>,
    /// Medians of the facts that all samples have.
    pub facts: Vec<(Fact, u64)>,
    /// Latencies of single operations.
    pub latency: Histogram,
    /// How many times as long the samples of the last third took as those of the first.
    pub drift: Option<f64>,
}

impl Process {
    /// Reduces what one process measured.
    pub fn of(metric: Metric, operations: u64, measured: &Measured) -> Self {
        // A search does as many operations as it takes.
        let done = measured.fact(Fact::Operations).unwrap_or(operations) as f64;
        let of_run = |of_usage: fn(&Usage) -> u64| {
            let of_sample = |sample: &Sample| sample.usage.map(|usage| of_usage(&usage) as f64);
            let mut values = measured.samples.iter().map(of_sample).collect::<Option<Vec<_>>>()?;
            Some(median(&mut values)).filter(|value| value.is_finite())
        };
        let per_operation = |of_usage: fn(&Usage) -> u64| {
            Some(of_run(of_usage)? / done).filter(|value| value.is_finite())
        };
        let known = measured.samples.first().map(|sample| sample.facts.keys());
        let facts =
            known.into_iter().flatten().filter_map(|&fact| Some((fact, measured.fact(fact)?)));
        Process {
            how: measured.how.clone().map(Rc::new),
            value: observation::value(metric, operations, measured),
            wall_ns: median_wall(&measured.samples),
            user_ns: of_run(|usage| usage.user_ns),
            system_ns: of_run(|usage| usage.system_ns),
            cpu_ns_per_operation: cpu_ns(measured)
                .map(|cpu| cpu / done)
                .filter(|each| each.is_finite()),
            switches_per_operation: per_operation(|usage| {
                usage.voluntary_switches + usage.involuntary_switches
            }),
            samples: measured.samples.len(),
            measured_ns: measured.measured_ns(),
            peak_threads: measured.peak_threads,
            worker_threads: measured.worker_threads,
            peak_memory_bytes: measured.peak_memory_bytes,
            facts: facts.collect(),
            latency: Histogram::of(&measured.latency_ns),
            drift: drift(&measured.samples),
        }
    }

    /// The median over the samples of a fact, if all have it.
    pub fn fact(&self, fact: Fact) -> Option<f64> {
        self.facts.iter().find(|(known, _)| *known == fact).map(|(_, value)| *value as f64)
    }
}

/// The median over the samples of the CPU time of one run.
fn cpu_ns(measured: &Measured) -> Option<f64> {
    let mut values =
        measured.samples.iter().map(observation::cpu_ns).collect::<Option<Vec<_>>>()?;
    Some(median(&mut values))
}

fn median_wall(samples: &[Sample]) -> f64 {
    median(&mut samples.iter().map(|sample| sample.wall_ns as f64).collect::<Vec<_>>())
}

fn drift(samples: &[Sample]) -> Option<f64> {
    let third = samples.len() / 3;
    let (first, last) = (&samples[..third], &samples[samples.len() - third..]);
    (samples.len() >= SAMPLES_TO_COMPARE).then(|| median_wall(last) / median_wall(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::process;

    #[test]
    fn a_process_that_slows_down_shows_in_its_drift() {
        let mut measured = process(1_000, None);
        assert_eq!(Process::of(Metric::Wall, 10, &measured).drift, None);
        measured.samples = vec![measured.samples[0].clone(); 9];
        measured.samples[6..].iter_mut().for_each(|sample| sample.wall_ns = 1_200);
        let process = Process::of(Metric::Wall, 10, &measured);
        assert_eq!(process.drift, Some(1.2));
        assert_eq!((process.wall_ns, process.samples), (1_000.0, 9));
        assert_eq!(process.cpu_ns_per_operation, Some(50.0));
    }
}
