//! What a report says.

use serde::Serialize;
use serde_json::Value;
use worker::Standing;
use worker::launch::Placement;
use worker::protocol::FailureKind;
use workloads::{Class, Metric, Profile, Unit};

use super::curves::Curves;
use super::noise::NoiseReport;
use super::suits::Suits;
use crate::contest;
use crate::decide::Decision;
use crate::figure::Figure;
use crate::host::Host;
use crate::judge::{Design, Verdict};
use crate::map::Chart;
use crate::plan::{Capacity, PlannedEntry};
use crate::service::ServiceProfile;
use crate::sources::Sources;

/// The entry that does one thing at a time.
pub(super) const SEQUENTIAL: &str = "floor/sequential";

/// The whole comparison. Every number is exact: what shows it rounds it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Report {
    pub(crate) schema: u32,
    /// Names of the runs; several are sessions of one machine.
    pub(crate) runs: Vec<String>,
    pub(crate) profile: Profile,
    pub(crate) workers: usize,
    pub(crate) design: Design,
    pub(crate) budget_ms: Option<u64>,
    pub(crate) seed: u64,
    pub(crate) noise: NoiseReport,
    /// Measurements in the journal.
    pub(crate) measurements: usize,
    /// Time inside measured windows and their warm-up, as a share of the time of all visits.
    pub(crate) measured_share: f64,
    pub(crate) host: Host,
    /// Every entry in the order of the plan.
    pub(crate) entries: Vec<String>,
    /// Those that take part in the comparison: without the floor and without misuses.
    pub(crate) contestants: Vec<String>,
    /// The capacity from which the rates of open loops follow.
    pub(crate) capacity: Option<Capacity>,
    pub(crate) cases: Vec<CaseReport>,
    pub(crate) curves: Vec<Curves>,
    /// Which model suits which class of work.
    pub(crate) suits: Vec<Suits>,
    /// Findings that rest on the cost of a wake-up across CPUs.
    pub(crate) wakeups: Vec<String>,
    /// The service that was described.
    #[serde(skip)]
    pub(crate) service: Option<ServiceProfile>,
    /// What was decided about a described service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<Decision>,
    /// Where one model takes over from another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) map: Option<Chart>,
    /// The command that does the (first) run again.
    pub(crate) command: String,
    /// The code that was measured, where it is known; it lies in `sources.json`.
    #[serde(skip)]
    pub(crate) sources: Option<Sources>,
}

/// One workload with one set of parameters.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CaseReport {
    pub(crate) id: String,
    pub(crate) workload: String,
    pub(crate) class: Class,
    pub(crate) question: String,
    pub(crate) answer: String,
    pub(crate) params: Value,
    pub(crate) workers: usize,
    /// The id without the number of workers, where it is measured with several.
    pub(crate) swept: Option<String>,
    pub(crate) placement: Placement,
    pub(crate) operation: String,
    pub(crate) operations: u64,
    pub(crate) metric: Metric,
    pub(crate) limit: String,
    /// What one thread works through in a second, without any concurrency model.
    pub(crate) single_thread: Option<Throughput>,
    /// The answer by CPU time, where the metric is another.
    pub(crate) cpu_answer: Option<String>,
    /// The contestant that is ahead of all others, by the metric and by CPU time.
    pub(crate) leader: Option<String>,
    pub(crate) cpu_leader: Option<String>,
    /// Rounds that count, and rounds that were rejected as noisy or interrupted.
    pub(crate) rounds: usize,
    pub(crate) rejected_rounds: usize,
    /// What came out when the same entry took part twice; one for each session.
    pub(crate) twins: Vec<Twin>,
    /// Sessions in which an entry failed only when it was visited a second time in a round; a note says why.
    #[serde(skip)]
    pub(crate) failed_twins: usize,
    /// Contestants by the metric, then misuses, then the floor, then what has no number.
    pub(crate) rows: Vec<Row>,
    /// What looks wrong or needs explaining.
    pub(crate) notes: Vec<String>,
}

/// An entry against itself.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Twin {
    pub(crate) entry: String,
    pub(crate) rounds: usize,
    pub(crate) ratio: Option<Figure>,
    pub(crate) verdict: Verdict,
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Basis {
    /// Rounds, or sessions where each session is one observation.
    pub(crate) observations: usize,
    pub(crate) sessions: bool,
    /// The number of the look that gave the verdict.
    pub(crate) look: usize,
    /// Rounds that would decide, if estimate and noise stay as they are.
    pub(crate) needs: Option<f64>,
}

/// A rate per second.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    pub(crate) unit: Unit,
}

/// One entry of a case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Row {
    pub(crate) entry: String,
    pub(crate) strategy: String,
    pub(crate) variant: String,
    pub(crate) standing: Option<Standing>,
    pub(crate) form: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) failure: Option<FailureReport>,
    /// Why it cannot win, where somebody decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) excluded: Option<String>,
    /// Why it has neither a failure nor numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
    pub(crate) numbers: Option<Numbers>,
}

/// Why an entry has no numbers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FailureReport {
    pub(crate) kind: FailureKind,
    pub(crate) reason: String,
}

/// What was measured of an entry; times in nanoseconds.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Numbers {
    pub(crate) rounds: usize,
    pub(crate) samples: usize,
    /// By the metric, the median of the entry's own observations: nanoseconds, bytes, or a count for what is
    /// still running. For a capacity, nanoseconds between requests.
    pub(crate) value: Figure,
    /// By the metric, one for each process that counts, in the order of the rounds.
    pub(crate) observations: Vec<f64>,
    pub(crate) verdict: Option<Verdict>,
    /// How many times as large as those of `ratio_to` its values are, compared inside the rounds.
    pub(crate) ratio: Option<Figure>,
    /// The leader of the case; for an entry that is slower, but not than the leader for certain, the rival that
    /// proves it.
    pub(crate) ratio_to: Option<String>,
    pub(crate) basis: Option<Basis>,
    /// Limit divided by value: 1 is as good as the machine allows.
    pub(crate) limit_share: Option<Figure>,
    /// Of one timed run of the whole workload.
    pub(crate) wall_ns: Figure,
    /// CPU time of one timed run in user and in kernel mode.
    pub(crate) user_ns: Option<f64>,
    pub(crate) system_ns: Option<f64>,
    pub(crate) operations_per_second: Figure,
    pub(crate) cpu_ns_per_operation: Option<Figure>,
    /// By CPU time per operation, judged like the metric, with the ratio by it.
    pub(crate) cpu_verdict: Option<Verdict>,
    pub(crate) cpu_ratio: Option<Figure>,
    pub(crate) cpu_ratio_to: Option<String>,
    pub(crate) switches_per_operation: Option<Figure>,
    /// Peak resident memory of a process.
    pub(crate) peak_memory_bytes: Option<Figure>,
    /// Peak resident memory of the process that took most.
    pub(crate) most_memory_bytes: Option<u64>,
    pub(crate) peak_threads: Option<u64>,
    pub(crate) worker_threads: Option<u64>,
    /// Latency of single operations at the median and the 99th percentile.
    pub(crate) latency_p50_ns: Option<Figure>,
    pub(crate) latency_p99_ns: Option<Figure>,
    /// The latency that so large a share of the operations did not exceed: the median of what single processes
    /// saw, or, in a tail for which these have too few operations, of all operations together.
    pub(crate) latencies: Vec<Percentile>,
    /// Wall time that the strategy's own account of its threads predicts.
    pub(crate) predicted_ns: Option<u64>,
    /// Largest number of operations in flight, and what was predicted.
    pub(crate) in_flight: Option<(u64, u64)>,
    /// The load generator's CPU time as a share of the wall time.
    pub(crate) generator_share: Option<f64>,
    /// How late the load generator sent at p99, in an open loop.
    pub(crate) send_lag_p99_ns: Option<u64>,
    /// Operations still running some time after they were cancelled.
    pub(crate) still_running: Option<u64>,
    /// Most items waiting between two stages.
    pub(crate) peak_depth: Option<u64>,
    /// Time spent in the stage of a pipeline that took longest: with one worker a stage it cannot be
    /// faster.
    pub(crate) slowest_stage_ns: Option<u64>,
    /// Memory that one more task takes in the process and in the kernel.
    pub(crate) bytes_per_task: Option<(u64, u64)>,
    /// Time from turn to turn of the tasks that stay active beside those that are parked.
    pub(crate) active_turn_ns: Option<u64>,
    /// How many times as long the last third of a process's samples took as the first.
    pub(crate) drift: Option<f64>,
    /// Sizes and typical values of two groups, where the observations fall into two.
    pub(crate) groups: Option<[(usize, f64); 2]>,
    /// What a misuse costs, against the same strategy's fair form of the case where it has one.
    pub(crate) price: Option<Price>,
}

/// A point of the distribution of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Percentile {
    pub(crate) share: f64,
    pub(crate) ns: f64,
}

/// What a misuse costs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Price {
    /// What it is held against: an entry of the same case, or an entry and a case.
    pub(crate) against: String,
    /// By the metric; `None` where that is a count.
    pub(crate) ratio: Option<Figure>,
    /// What else differs, in words.
    pub(crate) besides: Vec<String>,
}

impl Report {
    /// Cells that failed although the model has a form for them; a failed repetition of a cell is one.
    pub(crate) fn broken_cells(&self) -> usize {
        let twins: usize = self.cases.iter().map(|case| case.failed_twins).sum();
        let failures =
            self.cases.iter().flat_map(|case| &case.rows).filter_map(|row| row.failure.as_ref());
        failures.filter(|failure| failure.kind != FailureKind::Unsupported).count() + twins
    }

    /// Whether anything was measured.
    pub(crate) fn has_numbers(&self) -> bool {
        self.cases.iter().flat_map(|case| &case.rows).any(|row| row.numbers.is_some())
    }

    /// The entries that take part in the comparison, without the floor and without misuses.
    pub(crate) fn contestants(&self) -> impl Iterator<Item = &str> {
        self.contestants.iter().map(String::as_str)
    }
}

impl Row {
    pub(super) fn without_numbers(entry: &PlannedEntry, failure: Option<FailureReport>) -> Self {
        Row {
            entry: entry.id.clone(),
            strategy: entry.strategy.clone(),
            variant: entry.variant.clone(),
            standing: None,
            form: None,
            link: None,
            failure,
            excluded: entry.excluded.clone(),
            missing: None,
            numbers: None,
        }
    }

    pub(crate) fn is_contestant(&self) -> bool {
        self.excluded.is_none() && contest::is_fair(&self.strategy, self.standing)
    }
}
