//! The clock: runs a cell again and again and notes what each run took.

use std::time::Instant;

use workloads::{Census, Digest, Facts, steps};

use machine::ThreadWatch;
use protocol::{Failure, Measured, Sample, SamplingPlan};

/// Runs `run` as often as `plan` says, each time after `renew`, which is outside the clock. What `run`
/// returns beside the digest is called outside the clock and yields the facts of that run and the
/// latencies of its operations in nanoseconds.
///
/// Threads are watched during the first run only, which is a warm-up wherever there is one, so that
/// watching costs the timed runs nothing; after each later run the count is read once.
pub(crate) fn measure<F>(
    plan: &SamplingPlan,
    census: &Census,
    renew: impl Fn(),
    mut run: impl FnMut() -> Result<(Digest, F), Failure>,
) -> Result<Measured, Failure>
where
    F: FnOnce() -> Result<(Facts, Vec<u64>), Failure>,
{
    let mut measured = Measured {
        how: None,
        warmup_ns: Vec::new(),
        samples: Vec::new(),
        peak_threads: None,
        worker_threads: None,
        peak_memory_bytes: None,
        latency_ns: Vec::new(),
    };
    let mut watch = Some(ThreadWatch::start()?);
    let mut measured_ns = 0;
    let mut latency = workloads::histogram([]);
    while plan.wants_more(measured.samples.len(), measured_ns) {
        renew();
        let before = machine::usage();
        let start = Instant::now();
        let (digest, facts) = run()?;
        let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let after = machine::usage();

        let watched = watch.take().and_then(ThreadWatch::stop);
        measured.peak_threads = measured.peak_threads.max(watched).max(machine::threads());
        measured.worker_threads = measured.worker_threads.max(Some(census.take() as u64));
        let (facts, latencies) = facts()?;
        if measured.warmup_ns.len() < plan.warmup as usize {
            measured.warmup_ns.push(wall_ns);
            continue;
        }
        measured_ns += wall_ns;
        latencies.into_iter().for_each(|ns| latency.saturating_record(ns));
        let usage = after.zip(before).map(|(after, before)| after.since(&before));
        measured.samples.push(Sample { wall_ns, usage, digest, facts });
    }
    measured.peak_memory_bytes = machine::peak_memory_bytes();
    measured.latency_ns = steps(&latency);
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::FailureKind;

    fn no_facts() -> Result<(Facts, Vec<u64>), Failure> {
        Ok((Facts::new(), vec![7]))
    }

    #[test]
    fn warm_up_runs_are_kept_apart_from_the_timed_ones() {
        let plan = SamplingPlan { warmup: 2, min_samples: 3, budget_ns: 0 };
        let mut runs = 0;
        let measured = measure(
            &plan,
            &Census::new(),
            || (),
            || {
                runs += 1;
                Ok((Digest::of_number(runs), no_facts))
            },
        )
        .unwrap();
        assert_eq!(runs, 5);
        assert_eq!(measured.warmup_ns.len(), 2);
        let digests: Vec<_> = measured.samples.iter().map(|s| s.digest.as_u64()).collect();
        assert_eq!(digests, [3, 4, 5]);
        assert!(measured.peak_threads.unwrap() >= 1);
        assert_eq!(measured.latency_ns, [(7, 3)], "latencies of the timed runs only");
    }

    #[test]
    fn a_failing_run_ends_the_measurement_with_its_reason() {
        let plan = SamplingPlan { warmup: 0, min_samples: 3, budget_ns: 0 };
        let failure = Failure::new(FailureKind::WrongAnswer, "no");
        let result = measure(
            &plan,
            &Census::new(),
            || (),
            || {
                let failure = failure.clone();
                Ok((Digest::of_number(0), move || Err(failure)))
            },
        );
        assert_eq!(result.unwrap_err(), failure);
    }
}
