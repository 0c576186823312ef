//! What a report says, computed once.

use serde::Serialize;
use serde_json::Value;
use worker::Standing;
use worker::launch::Placement;
use worker::protocol::FailureKind;
use worker::units::{self, DIGITS};
use workloads::{Class, Limit, Metric, Profile, Unit, find};

use super::comparison::{Comparison, kinship};
use super::curves::{self, Curves};
use super::noise::NoiseReport;
use super::rounding::significant;
use super::sessions::Sessions;
use super::suits::{self, Suits};
use super::{misuses, noise, reproduce, wakeups};
use crate::contest;
use crate::figure::Figure;
use crate::host::Host;
use crate::journal::{Round, Run};
use crate::judge::{Design, Verdict};
use crate::plan::{Capacity, PlannedCase, PlannedEntry, SCHEMA};
use crate::sources::Sources;

/// The entry that does one thing at a time.
pub(super) const SEQUENTIAL: &str = "floor/sequential";

/// The whole comparison.
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
    /// Rounds that count, and rounds that were rejected as noisy or interrupted.
    pub(crate) rounds: usize,
    pub(crate) rejected_rounds: usize,
    /// What came out when the same entry took part twice; one for each session.
    pub(crate) twins: Vec<Twin>,
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
    /// The metric's typical value: nanoseconds, bytes, or a count for what is still running.
    pub(crate) value: Figure,
    /// By the metric, one for each process that counts, in the order of the rounds.
    pub(crate) observations: Vec<f64>,
    pub(crate) verdict: Option<Verdict>,
    /// To the leading contestant.
    pub(crate) ratio: Option<Figure>,
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
    /// By CPU time per operation, judged like the metric, and the ratio to the leader by it.
    pub(crate) cpu_verdict: Option<Verdict>,
    pub(crate) cpu_ratio: Option<Figure>,
    pub(crate) switches_per_operation: Option<Figure>,
    pub(crate) peak_memory_bytes: Option<u64>,
    pub(crate) peak_threads: Option<u64>,
    pub(crate) worker_threads: Option<u64>,
    /// Latency of single operations at the median and the 99th percentile.
    pub(crate) latency_p50_ns: Option<u64>,
    pub(crate) latency_p99_ns: Option<u64>,
    /// The latency that so large a share of the operations did not exceed, as far as there are enough.
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
    pub(crate) ns: u64,
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
    /// Computes the report of a run.
    pub(crate) fn of(run: &Run) -> Self {
        Report::of_sessions(std::slice::from_ref(run))
    }

    /// Computes the report of several runs of the same plan on the same machine, of which there is at least
    /// one.
    pub(crate) fn of_sessions(runs: &[Run]) -> Self {
        let Run { plan, host, sources, .. } = &runs[0];
        let mut cases: Vec<CaseReport> = plan
            .cases
            .iter()
            .enumerate()
            .map(|(index, case)| {
                let sessions: Vec<_> = runs.iter().map(|run| run.cases[index].as_slice()).collect();
                CaseReport::of(case, &plan.entries, &sessions, &plan.design)
            })
            .collect();
        misuses::price_across_cases(&mut cases);
        let contestants = contestants(&plan.entries, &cases);
        let visits = || runs.iter().flat_map(Run::visits);
        let spent: u64 = visits().map(|visit| visit.visit_ns).sum();
        let measured: u64 =
            visits().filter_map(|visit| visit.outcome.as_ref().ok()).map(|p| p.measured_ns).sum();
        Report {
            schema: SCHEMA,
            runs: runs.iter().map(|run| run.name.clone()).collect(),
            profile: plan.profile,
            workers: plan.workers,
            design: plan.design.clone(),
            budget_ms: plan.budget_ms,
            seed: plan.seed,
            noise: noise::of(runs, &cases),
            measurements: visits().count(),
            measured_share: measured as f64 / spent.max(1) as f64,
            host: host.clone(),
            entries: plan.entries.iter().map(|entry| entry.id.clone()).collect(),
            suits: suits::of(&contestants, &cases),
            contestants,
            capacity: plan.capacity.clone(),
            curves: curves::of(&cases, plan.workers),
            wakeups: wakeups::findings(&cases),
            command: reproduce::command(plan),
            sources: sources.clone(),
            cases,
        }
    }

    /// Cells that failed although the model has a form for them.
    pub(crate) fn broken_cells(&self) -> usize {
        let failures =
            self.cases.iter().flat_map(|case| &case.rows).filter_map(|row| row.failure.as_ref());
        failures.filter(|failure| failure.kind != FailureKind::Unsupported).count()
    }

    /// The entries that take part in the comparison, without the floor and without misuses.
    pub(crate) fn contestants(&self) -> impl Iterator<Item = &str> {
        self.contestants.iter().map(String::as_str)
    }
}

fn contestants(entries: &[PlannedEntry], cases: &[CaseReport]) -> Vec<String> {
    let takes_part = |entry: &PlannedEntry| {
        let mut measured = cases
            .iter()
            .flat_map(|case| &case.rows)
            .filter(|row| row.entry == entry.id && row.numbers.is_some())
            .peekable();
        match measured.peek() {
            Some(_) => measured.any(Row::is_contestant),
            None => entry.strategy != "floor" && entry.variant != "misuse",
        }
    };
    entries.iter().filter(|entry| takes_part(entry)).map(|entry| entry.id.clone()).collect()
}

impl CaseReport {
    fn of(
        case: &PlannedCase,
        entries: &[PlannedEntry],
        sessions: &[&[Round]],
        design: &Design,
    ) -> Self {
        let spec = find(&case.workload).map(|workload| workload.spec);
        let metric = case.metric;
        let class = spec.map_or(Class::Mixed, |spec| spec.class);
        let pooled = Sessions::of(sessions, entries, metric, design);
        let unmeasured = entries.iter().enumerate().filter(|(index, entry)| {
            entry.has(&case.workload) && !pooled.observed.iter().any(|o| o.entry == *index)
        });
        let mut rows: Vec<_> = unmeasured
            .map(|(index, entry)| {
                let failure = sessions.iter().find_map(|rounds| contest::failure(rounds, index));
                let failure = failure.map(|failure| FailureReport {
                    kind: failure.failure,
                    reason: failure.reason.clone(),
                });
                Row::without_numbers(entry, failure)
            })
            .collect();
        let all = || sessions.iter().copied().flatten();
        let admitted = || all().filter(|round| round.is_admitted());
        let disturbed =
            admitted().filter(|r| r.end.as_ref().is_some_and(|end| end.noise.noisy_host));
        let noisy = 2 * disturbed.count() > admitted().count();
        let measured = Comparison::of(case, entries, (class, metric), &pooled, noisy);
        let answer = measured.answer();
        let cpu_answer = measured.cpu_answer();
        let mut notes = measured.notes();
        if noisy {
            notes.push(
                "Others used the machine while this was measured: only what is slower by far is said."
                    .to_owned(),
            );
        }
        let mut measured_rows = measured.rows;
        measured_rows.append(&mut rows);
        if let Some(note) = kinship(class, &measured_rows) {
            notes.push(note);
        }
        let sequential = measured_rows.iter().find(|row| row.entry == SEQUENTIAL);
        let single_thread = case.amount.zip(sequential.and_then(|row| row.numbers.as_ref()));
        CaseReport {
            id: case.id.clone(),
            workload: case.workload.clone(),
            class,
            question: spec.map_or_else(String::new, |spec| spec.question.to_owned()),
            answer,
            params: case.params.clone(),
            workers: case.workers,
            swept: case.swept.clone(),
            placement: case.placement,
            operation: spec
                .map_or_else(|| "operation".to_owned(), |spec| spec.operation.to_owned()),
            operations: case.operations,
            metric,
            limit: limit_text(&case.limit),
            single_thread: single_thread.map(|(amount, numbers)| Throughput {
                per_second: significant(
                    amount.count as f64 / numbers.wall_ns.estimate * 1e9,
                    DIGITS,
                ),
                unit: amount.unit,
            }),
            cpu_answer,
            rounds: admitted().count(),
            rejected_rounds: all().filter(|round| !round.is_admitted()).count(),
            twins: pooled.twins,
            rows: measured_rows,
            notes,
        }
    }
}

fn limit_text(limit: &Limit) -> String {
    match limit {
        Limit::Time { ns, reason } => format!("{} ({reason})", units::duration(*ns as f64)),
        other => other.reason().to_owned(),
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
            numbers: None,
        }
    }

    pub(crate) fn is_contestant(&self) -> bool {
        contest::is_contestant(&self.strategy, self.standing)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use worker::How;
    use worker::protocol::{Failure, Measured, Sample, Usage};
    use workloads::{Digest, Facts};

    use super::*;
    use crate::journal::{Measurement, Outcome};
    use crate::plan::tests::plan;

    /// A process whose samples all took `wall_ns` and half of that in CPU time.
    pub(crate) fn process(wall_ns: u64, how: Option<How>) -> Measured {
        let usage = Usage { user_ns: wall_ns / 2, ..Usage::default() };
        let sample = Sample {
            wall_ns,
            usage: Some(usage),
            digest: Digest::of_number(1),
            facts: Facts::new(),
        };
        Measured {
            how,
            warmup_ns: vec![wall_ns],
            samples: vec![sample; 3],
            peak_threads: Some(3),
            worker_threads: Some(2),
            peak_memory_bytes: Some(5 << 20),
            latency_ns: vec![(1_000, 98), (9_000, 2)],
        }
    }

    pub(crate) fn run(case: &str, outcomes: &[(&str, Vec<Outcome>)]) -> Run {
        let entries: Vec<_> = outcomes.iter().map(|(entry, _)| *entry).collect();
        let rounds = outcomes.iter().map(|(_, outcomes)| outcomes.len()).max().unwrap_or(0);
        let measurements = outcomes.iter().flat_map(|(entry, outcomes)| {
            outcomes.iter().enumerate().map(|(round, outcome)| Measurement {
                round: round as u32,
                case: case.to_owned(),
                entry: (*entry).to_owned(),
                twin: false,
                started_ms: 0,
                visit_ns: 100_000_000,
                outcome: outcome.clone(),
            })
        });
        let measurements = measurements.collect();
        Run::in_memory("example", plan(&[case], &entries, rounds), measurements)
    }

    pub(crate) fn walls(walls: &[u64], how: Option<How>) -> Vec<Outcome> {
        walls.iter().map(|&wall| Outcome::Measured(process(wall, how.clone()))).collect()
    }

    #[test]
    fn contestants_come_first_then_misuses_then_the_floor_then_failures() {
        let failure = Failure::new(FailureKind::Timeout, "too slow");
        let report = Report::of(&run(
            "map",
            &[
                ("floor/sequential", walls(&[2_000, 2_010, 1_990], How::floor("f", "l"))),
                ("tokio", walls(&[1_500, 1_510, 1_490], How::fair("f", "l"))),
                ("smol", vec![Outcome::Failed(failure)]),
                ("rayon", walls(&[1_000, 1_010, 990], How::fair("f", "l"))),
                ("threads", walls(&[500, 510, 490], How::misuse("f", "l"))),
            ],
        ));
        let case = &report.cases[0];
        let order: Vec<_> = case.rows.iter().map(|row| row.entry.as_str()).collect();
        assert_eq!(order, ["rayon", "tokio", "threads", "floor/sequential", "smol"]);
        let numbers = |index: usize| case.rows[index].numbers.as_ref().unwrap();
        assert_eq!(numbers(0).verdict, Some(Verdict::Best));
        assert_eq!(numbers(1).verdict, Some(Verdict::Slower));
        assert_eq!(numbers(2).verdict, None, "a misuse never wins");
        // Sequential 2,000 ÷ 2 workers is what rayon took.
        assert!((numbers(0).limit_share.unwrap().estimate - 1.0).abs() < 0.01);
        assert!((numbers(1).ratio.unwrap().estimate - 1.5).abs() < 0.02);
        assert_eq!(numbers(0).latency_p50_ns, Some(1_000));
        assert_eq!(numbers(0).latency_p99_ns, Some(9_000));
        assert_eq!(report.broken_cells(), 1);
        assert!(
            case.answer.starts_with("rayon (1.00 µs) is best; tokio follows at 1.50×"),
            "{}",
            case.answer
        );
    }

    #[test]
    fn a_round_that_was_interrupted_counts_for_nobody() {
        let fair = || How::fair("f", "l");
        let mut run = run(
            "map",
            &[("tokio", walls(&[10, 11, 500], fair())), ("rayon", walls(&[10, 11], fair()))],
        );
        run.cases[0][2].end = None;
        let report = Report::of(&run);
        assert_eq!((report.cases[0].rounds, report.cases[0].rejected_rounds), (2, 1));
        for row in &report.cases[0].rows {
            assert_eq!(row.numbers.as_ref().unwrap().rounds, 2);
        }
    }

    #[test]
    fn what_is_beyond_its_limit_is_named() {
        let report = Report::of(&run(
            "map",
            &[
                ("floor/sequential", walls(&[2_000, 2_010, 1_990], How::floor("f", "l"))),
                ("tokio", walls(&[500, 510, 490], How::fair("f", "l"))),
            ],
        ));
        assert!(
            report.cases[0].notes.iter().any(|note| note.starts_with("tokio is beyond its limit"))
        );
    }

    #[test]
    fn a_process_that_did_not_record_its_cpu_time_is_not_judged_by_it() {
        let mut mute = process(1_000, How::fair("f", "l"));
        mute.samples.iter_mut().for_each(|sample| sample.usage = None);
        let tokio = walls(&[1_000, 1_010, 990], How::fair("f", "l"));
        let outcomes = [("tokio", tokio), ("mute", vec![Outcome::Measured(mute); 3])];
        for (case, judged) in [("echo/c=1", false), ("map", true)] {
            let report = Report::of(&run(case, &outcomes));
            let row = report.cases[0].rows.iter().find(|row| row.entry == "mute").unwrap();
            assert_eq!(row.numbers.is_some(), judged, "{case}");
        }
    }

    #[test]
    fn on_a_noisy_host_close_calls_are_left_undecided() {
        let fair = || How::fair("f", "l");
        let mut run = run(
            "map",
            &[
                ("tokio", walls(&[1_000, 1_010, 990], fair())),
                ("rayon", walls(&[1_100, 1_110, 1_090], fair())),
                ("smol", walls(&[2_000, 2_010, 1_990], fair())),
            ],
        );
        let verdicts = |run: &Run| -> Vec<_> {
            let report = Report::of(run);
            report.cases[0].rows.iter().map(|r| r.numbers.as_ref().unwrap().verdict).collect()
        };
        use Verdict::{Best, Slower, Undecided};
        assert_eq!(verdicts(&run), [Best, Slower, Slower].map(Some));
        for round in &mut run.cases[0] {
            round.end.as_mut().unwrap().noise.noisy_host = true;
        }
        assert_eq!(verdicts(&run), [Undecided, Undecided, Slower].map(Some));
        let report = Report::of(&run);
        let by_cpu = |row: &Row| row.numbers.as_ref().unwrap().cpu_verdict;
        assert_eq!(by_cpu(&report.cases[0].rows[0]), Some(Undecided));
        assert!(report.noise.banner().unwrap().starts_with("NOISY HOST"));
    }

    #[test]
    fn an_empty_journal_makes_an_empty_report() {
        let report = Report::of(&run("map", &[("tokio", vec![])]));
        assert!(report.cases[0].rows[0].numbers.is_none());
        assert_eq!(report.broken_cells(), 0);
    }
}
