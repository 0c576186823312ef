//! What a report says.

use protocol::FailureKind;
use protocol::Placement;
use protocol::Standing;
use serde::Serialize;
use serde_json::Value;
use workloads::{Class, Metric, Unit};

use crate::contest;
use judge::Figure;
use judge::Verdict;
use record::PlannedEntry;

/// The entry that does one thing at a time.
pub const SEQUENTIAL: &str = "floor/sequential";

/// One workload with one set of parameters.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseReport {
    /// The case's id, unique in the run.
    pub id: String,
    /// Name of the workload.
    pub workload: String,
    /// The class of work.
    pub class: Class,
    /// The question that the workload asks of a concurrency model.
    pub question: String,
    /// The answer in a sentence.
    pub answer: String,
    /// The parameters, with what was settled on this machine.
    pub params: Value,
    /// Worker threads granted.
    pub workers: usize,
    /// The id without the number of workers, where it is measured with several.
    pub swept: Option<String>,
    /// On which CPUs its processes ran.
    pub placement: Placement,
    /// What one operation is, in the singular.
    pub operation: String,
    /// Operations of one run.
    pub operations: u64,
    /// What the entries are ordered by; smaller is better.
    pub metric: Metric,
    /// The physical bound, in words.
    pub limit: String,
    /// What one thread works through in a second, without any concurrency model.
    pub single_thread: Option<Throughput>,
    /// The answer by CPU time, where the metric is another.
    pub cpu_answer: Option<String>,
    /// The contestant that is ahead of all others, by the metric and by CPU time.
    pub leader: Option<String>,
    /// The contestant that is ahead of all others by CPU time.
    pub cpu_leader: Option<String>,
    /// Rounds that count, and rounds that were rejected as noisy or interrupted.
    pub rounds: usize,
    /// Rounds that were rejected as noisy or interrupted.
    pub rejected_rounds: usize,
    /// What came out when the same entry took part twice; one for each session.
    pub twins: Vec<Twin>,
    /// Sessions in which an entry failed only when it was visited a second time in a round; a note says why.
    #[serde(skip)]
    pub failed_twins: usize,
    /// Contestants by the metric, then misuses, then the floor, then what has no number.
    pub rows: Vec<Row>,
    /// What looks wrong or needs explaining.
    pub notes: Vec<String>,
}

/// An entry against itself.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Twin {
    /// The entry that was measured twice in each round.
    pub entry: String,
    /// Rounds in which both were measured.
    pub rounds: usize,
    /// The second visit's values over the first one's.
    pub ratio: Option<Figure>,
    /// Whether they tie.
    pub verdict: Verdict,
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Basis {
    /// Rounds, or sessions where each session is one observation.
    pub observations: usize,
    /// Whether each session is one observation.
    pub sessions: bool,
    /// The number of the look that gave the verdict.
    pub look: usize,
    /// Rounds that would decide, if estimate and noise stay as they are.
    pub needs: Option<f64>,
}

/// A rate per second.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Throughput {
    /// How much a second.
    pub per_second: f64,
    /// Of what.
    pub unit: Unit,
}

/// One entry of a case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// The entry's id.
    pub entry: String,
    /// Its strategy.
    pub strategy: String,
    /// The variant of it.
    pub variant: String,
    /// Whether its form may be recommended; unknown without a measurement.
    pub standing: Option<Standing>,
    /// Its form in a few words.
    pub form: Option<String>,
    /// The page that recommends the form.
    pub link: Option<String>,
    /// Why it has no numbers, if it failed.
    pub failure: Option<FailureReport>,
    /// Why it cannot win, where somebody decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
    /// Why it has neither a failure nor numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// What was measured of it.
    pub numbers: Option<Numbers>,
}

/// Why an entry has no numbers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureReport {
    /// The kind of failure.
    pub kind: FailureKind,
    /// Why, in one sentence.
    pub reason: String,
}

/// What was measured of an entry; times in nanoseconds.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Numbers {
    /// Rounds that count.
    pub rounds: usize,
    /// Timed runs in all rounds together.
    pub samples: usize,
    /// By the metric, the median of the entry's own observations: nanoseconds, bytes, or a count for what is
    /// still running. For a capacity, nanoseconds between requests.
    pub value: Figure,
    /// By the metric, one for each process that counts, in the order of the rounds.
    pub observations: Vec<f64>,
    /// Where it stands among the contestants.
    pub verdict: Option<Verdict>,
    /// How many times as large as those of `ratio_to` its values are, compared inside the rounds.
    pub ratio: Option<Figure>,
    /// The leader of the case; for an entry that is slower, but not than the leader for certain, the rival that
    /// proves it.
    pub ratio_to: Option<String>,
    /// What the verdict rests on.
    pub basis: Option<Basis>,
    /// Limit divided by value: 1 is as good as the machine allows.
    pub limit_share: Option<Figure>,
    /// Of one timed run of the whole workload.
    pub wall_ns: Figure,
    /// CPU time of one timed run in user and in kernel mode.
    pub user_ns: Option<f64>,
    /// CPU time of one timed run in kernel mode.
    pub system_ns: Option<f64>,
    /// Operations a second; for a capacity, requests a second.
    pub operations_per_second: Figure,
    /// User plus system CPU time of one operation.
    pub cpu_ns_per_operation: Option<Figure>,
    /// By CPU time per operation, judged like the metric, with the ratio by it.
    pub cpu_verdict: Option<Verdict>,
    /// How many times as much CPU time as `cpu_ratio_to` it takes.
    pub cpu_ratio: Option<Figure>,
    /// What `cpu_ratio` is held against.
    pub cpu_ratio_to: Option<String>,
    /// Context switches of one operation.
    pub switches_per_operation: Option<Figure>,
    /// Peak resident memory of a process.
    pub peak_memory_bytes: Option<Figure>,
    /// Peak resident memory of the process that took most.
    pub most_memory_bytes: Option<u64>,
    /// Most threads that a process had at once.
    pub peak_threads: Option<u64>,
    /// Threads on which operations ran.
    pub worker_threads: Option<u64>,
    /// Latency of single operations at the median and the 99th percentile.
    pub latency_p50_ns: Option<Figure>,
    /// Latency of single operations at the 99th percentile.
    pub latency_p99_ns: Option<Figure>,
    /// The latency that so large a share of the operations did not exceed: the median of what single processes
    /// saw, or, in a tail for which these have too few operations, of all operations together.
    pub latencies: Vec<Percentile>,
    /// Wall time that the strategy's own account of its threads predicts.
    pub predicted_ns: Option<u64>,
    /// Largest number of operations in flight, and what was predicted.
    pub in_flight: Option<(u64, u64)>,
    /// The load generator's CPU time as a share of the wall time.
    pub generator_share: Option<f64>,
    /// How late the load generator sent at p99, in an open loop.
    pub send_lag_p99_ns: Option<u64>,
    /// Operations still running some time after they were cancelled.
    pub still_running: Option<u64>,
    /// Most items waiting between two stages.
    pub peak_depth: Option<u64>,
    /// Time spent in the stage of a pipeline that took longest: with one worker a stage it cannot be
    /// faster.
    pub slowest_stage_ns: Option<u64>,
    /// Memory that one more task takes in the process and in the kernel.
    pub bytes_per_task: Option<(u64, u64)>,
    /// Time from turn to turn of the tasks that stay active beside those that are parked.
    pub active_turn_ns: Option<u64>,
    /// How many times as long the last third of a process's samples took as the first.
    pub drift: Option<f64>,
    /// Sizes and typical values of two groups, where the observations fall into two.
    pub groups: Option<[(usize, f64); 2]>,
    /// What a misuse costs, against the same strategy's fair form of the case where it has one.
    pub price: Option<Price>,
}

/// A point of the distribution of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Percentile {
    /// The share of the operations, such as 0.99.
    pub share: f64,
    /// The latency that they did not exceed.
    pub ns: f64,
}

/// What a misuse costs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Price {
    /// What it is held against: an entry of the same case, or an entry and a case.
    pub against: String,
    /// By the metric; `None` where that is a count.
    pub ratio: Option<Figure>,
    /// What else differs, in words.
    pub besides: Vec<String>,
}

impl Numbers {
    /// The wall time over the predicted one; `None` without a prediction.
    pub fn over_prediction(&self) -> Option<Figure> {
        Some(self.wall_ns.times(1.0 / self.predicted_ns? as f64))
    }
}

impl Row {
    /// The row of an entry that measured nothing.
    pub fn without_numbers(entry: &PlannedEntry, failure: Option<FailureReport>) -> Self {
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

    /// Whether it takes part in the comparison.
    pub fn is_contestant(&self) -> bool {
        self.excluded.is_none() && contest::is_fair(&self.strategy, self.standing)
    }
}
