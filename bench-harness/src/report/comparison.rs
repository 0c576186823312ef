//! The entries of a case that have numbers: judged, ordered, and put into words.

use worker::Standing;
use worker::observation;
use worker::units;
use workloads::{Class, Limit, Metric};

use super::misuses;
use super::model::{Observed, Row};
use super::rows::row;
use super::text::interval;
use crate::judge::{self, Judgement, Verdict};
use crate::plan::PlannedCase;

/// The entries of a case that have numbers, judged.
pub(super) struct Comparison {
    class: Class,
    workers: usize,
    metric: Metric,
    /// Why verdicts are withheld, if they are.
    withheld: Option<&'static str>,
    pub(super) rows: Vec<Row>,
}

impl Comparison {
    pub(super) fn of(
        case: &PlannedCase,
        (class, metric): (Class, Metric),
        observed: &[Observed<'_>],
        rounds: &[u32],
    ) -> Self {
        let workers = case.workers;
        let values: Vec<Vec<f64>> = observed
            .iter()
            .map(|o| rounds.iter().map(|round| o.rounds[round].1).collect())
            .collect();
        // A count can be 0, which has no logarithm, and one process says all there is to say.
        let judged = metric != Metric::StillRunning;
        let judgement = if judged {
            Judgement::of(&values)
        } else {
            Judgement::of(&vec![vec![1.0; rounds.len()]; values.len()])
        };
        let mut rows: Vec<Row> = observed
            .iter()
            .enumerate()
            .map(|(index, o)| {
                let processes: Vec<_> = rounds.iter().map(|round| o.rounds[round].0).collect();
                let value =
                    if judged { judgement.typical(index) } else { values[index].iter().sum() };
                row(case, o.entry, &processes, value)
            })
            .collect();
        let contestants: Vec<_> = (0..rows.len()).filter(|&i| rows[i].is_contestant()).collect();
        let leader = judgement.leader(&contestants);
        let floors: Vec<_> = (0..rows.len()).filter(|&i| rows[i].strategy == "floor").collect();
        let sequential = floors.iter().copied().find(|&i| rows[i].variant == "sequential");
        let cheapest = judgement.leader(&floors);
        for index in 0..rows.len() {
            let share = match &case.limit {
                Limit::Time { ns, .. } => {
                    Some(judge::share_of_constant(*ns as f64, &values[index]))
                }
                Limit::SequentialOverWorkers => sequential.map(|floor| {
                    judgement.ratio(index, floor).inverse().times(1.0 / workers as f64)
                }),
                Limit::SequentialOrLargest { largest, all } => sequential.map(|floor| {
                    let part = (1.0 / workers as f64).max(*largest as f64 / *all as f64);
                    judgement.ratio(index, floor).inverse().times(part)
                }),
                Limit::Floor => cheapest.map(|floor| judgement.ratio(index, floor).inverse()),
                Limit::FloorOverWorkers => cheapest.map(|floor| {
                    judgement.ratio(index, floor).inverse().times(1.0 / workers as f64)
                }),
            }
            .filter(|_| judged);
            let numbers = rows[index].numbers.as_mut().expect("measured rows have numbers");
            numbers.limit_share = share;
            numbers.ratio = leader.filter(|_| judged).map(|leader| judgement.ratio(index, leader));
        }
        for index in 0..rows.len() {
            if rows[index].standing != Some(Standing::Misuse) {
                continue;
            }
            let fair = contestants.iter().find(|&&i| rows[i].strategy == rows[index].strategy);
            if let Some(&fair) = fair {
                let ratio = judged.then(|| judgement.ratio(index, fair));
                let price = misuses::price(&rows[index], &rows[fair], ratio);
                rows[index].numbers.as_mut().expect("measured rows have numbers").price = price;
            }
        }
        let withheld = if metric == Metric::Capacity && rows.iter().any(generator_bound) {
            Some("the load generator and not the server was the bottleneck")
        } else if rows.iter().any(beyond_limit) {
            Some("somebody is beyond the limit, as the notes say")
        } else {
            None
        };
        for (&index, verdict) in contestants.iter().zip(judgement.verdicts(&contestants)) {
            let verdict = if withheld.is_some() { Verdict::Undecided } else { verdict };
            rows[index].numbers.as_mut().expect("measured rows have numbers").verdict =
                judged.then_some(verdict);
        }
        let rank = |row: &Row| match (row.is_contestant(), row.standing) {
            (true, _) => 0,
            (_, Some(Standing::Misuse)) => 1,
            _ => 2,
        };
        let value = |row: &Row| row.numbers.as_ref().map_or(f64::INFINITY, |n| n.value);
        rows.sort_by(|a, b| rank(a).cmp(&rank(b)).then(value(a).total_cmp(&value(b))));
        Comparison { class, workers, metric, withheld, rows }
    }

    fn with_verdict(&self, wanted: Verdict) -> Vec<&str> {
        let has = |row: &&Row| row.numbers.as_ref().is_some_and(|n| n.verdict == Some(wanted));
        self.rows.iter().filter(has).map(|row| row.entry.as_str()).collect()
    }

    /// One sentence that says what the numbers answer.
    pub(super) fn answer(&self) -> String {
        let shown = |row: &Row| {
            let value = row.numbers.as_ref().map_or(f64::NAN, |n| n.value);
            let per = match self.metric {
                Metric::CpuPerOperation => " CPU each",
                Metric::WallPerOperation => " each",
                Metric::LatencyP99 => " at p99",
                Metric::BytesPerTask => " a task",
                _ => "",
            };
            format!("{} ({}{per})", row.entry, observation::shown(self.metric, value))
        };
        if self.metric == Metric::StillRunning {
            let counts: Vec<_> = self
                .rows
                .iter()
                .filter_map(|row| Some(format!("{} {}", row.entry, row.numbers.as_ref()?.value)))
                .collect();
            return format!("Still running when looked at again: {}.", counts.join(", "));
        }
        if let Some(why) = self.withheld {
            return format!("Verdicts are withheld: {why}.");
        }
        let Some(first) = self.rows.iter().find(|row| row.is_contestant()) else {
            return "No strategy has a fair form with a number here.".to_owned();
        };
        let tied = self.with_verdict(Verdict::Tied);
        let undecided = self.with_verdict(Verdict::Undecided);
        if self.with_verdict(Verdict::Alone) == [first.entry.as_str()] {
            return format!("{} is the only fair form with a number.", shown(first));
        }
        if self.with_verdict(Verdict::Best) == [first.entry.as_str()] {
            let second = self.rows.iter().filter(|row| row.is_contestant()).nth(1);
            let ratio = second.and_then(|row| row.numbers.as_ref()?.ratio);
            let (second, ratio) = second.zip(ratio).expect("who is best is better than somebody");
            return format!(
                "{} is best; {} follows at {}.",
                shown(first),
                second.entry,
                interval(ratio)
            );
        }
        let undecided = undecided.join(", ");
        match (tied.is_empty(), undecided.is_empty()) {
            (false, true) => format!("{} are tied; {} leads.", tied.join(", "), shown(first)),
            (false, false) => format!(
                "{} are tied; {} leads. Undecided: {undecided}; more rounds would tell.",
                tied.join(", "),
                shown(first)
            ),
            (true, false) => {
                format!("{} leads. Undecided: {undecided}; more rounds would tell.", shown(first))
            }
            (true, true) => format!("{} leads, and nobody is clear of all others.", shown(first)),
        }
    }

    /// Tripwires: what would show that a result is probably wrong, or that it needs explaining.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for row in &self.rows {
            let Some(numbers) = &row.numbers else { continue };
            let entry = &row.entry;
            if beyond_limit(row) {
                notes.push(format!(
                    "{entry} is beyond its limit, so either the limit or the measurement is wrong: do \
                     not rely on it."
                ));
            }
            if let Some(predicted) = numbers.predicted_ns {
                let ratio = numbers.wall_ns / predicted as f64;
                if !(0.9..=1.1).contains(&ratio) {
                    let in_flight = match numbers.in_flight {
                        Some((peak, bound)) if peak < bound => {
                            format!(", with {peak} in flight where {bound} were predicted")
                        }
                        Some((peak, _)) if numbers.peak_threads > Some(peak) && peak > 1 => {
                            " (starting the threads, or waking them, is part of it)".to_owned()
                        }
                        _ if ratio > 1.0 => {
                            " (sending and answering the requests is part of it, and so \
                                              are timers that round up to a millisecond)"
                                .to_owned()
                        }
                        _ => String::new(),
                    };
                    notes.push(format!(
                        "{entry} took {}, {} of the predicted {}{in_flight}.",
                        units::duration(numbers.wall_ns),
                        units::ratio(ratio),
                        units::duration(predicted as f64)
                    ));
                }
            }
            let threads = numbers.worker_threads.unwrap_or(0);
            if self.class == Class::Cpu && row.is_contestant() && threads != self.workers as u64 {
                notes.push(format!(
                    "{entry} worked on {threads} threads where {} were granted.",
                    self.workers
                ));
            }
        }
        let busy: Vec<_> = self
            .rows
            .iter()
            .filter(|row| generator_bound(row))
            .map(|row| row.entry.as_str())
            .collect();
        if !busy.is_empty() {
            notes.push(format!(
                "The load generator was busy all the time under {}: verdicts on throughput are withheld, \
                 CPU time per operation stays valid.",
                busy.join(", ")
            ));
        }
        notes
    }
}

/// Whether a contestant was better than the machine allows: then something is wrong.
fn beyond_limit(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.limit_share);
    row.is_contestant() && share.is_some_and(|share| share.low.is_some_and(|low| low > 1.0))
}

/// Whether the load generator used a CPU up, so that it may have been the bottleneck.
fn generator_bound(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.generator_share);
    share.is_some_and(|share| share > 0.9)
}

/// async-std and smol share reactor and executor crates: far apart, they suggest a wrong set-up.
pub(super) fn kinship(class: Class, rows: &[Row]) -> Option<String> {
    let value = |strategy: &str| {
        let row = rows.iter().find(|row| row.strategy == strategy && row.is_contestant())?;
        row.numbers.as_ref().map(|numbers| numbers.value).filter(|&value| value > 0.0)
    };
    let (one, other) = (value("async-std")?, value("smol")?);
    let ratio = (one / other).max(other / one);
    let but = match class {
        Class::Coordination => " (but not the version of their channels)",
        _ => "",
    };
    (ratio > 1.1).then(|| {
        format!(
            "async-std and smol, which share executor and reactor{but}, are {} apart.",
            units::ratio(ratio)
        )
    })
}
