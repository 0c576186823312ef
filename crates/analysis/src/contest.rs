//! The observations of a case, brought into the order in which they are judged.

use protocol::Standing;
use protocol::{Failure, FailureKind};
use record::models;
use workloads::Metric;

use crate::process::Process;
use crate::rounds::{Round, Visited};
use judge::Series;
use record::PlannedEntry;

/// What the admitted rounds of a case have measured.
#[derive(Debug)]
pub struct Contest<'a> {
    /// Entries that measured something and did not fail.
    pub observed: Vec<Observed<'a>>,
    /// The entry that the twin repeats, by its place in `observed`, and what the twin measured.
    pub twin: Option<(usize, Vec<Option<&'a Process>>)>,
}

/// What an entry has measured, by admitted round.
#[derive(Debug)]
pub struct Observed<'a> {
    /// Its place in the plan.
    pub entry: usize,
    /// Whether it takes part in the comparison.
    pub contestant: bool,
    /// What it measured, by admitted round.
    pub processes: Vec<Option<&'a Process>>,
}

impl<'a> Contest<'a> {
    /// Only rounds that ended and were not rejected count.
    pub fn of(rounds: &'a [Round], entries: &[PlannedEntry]) -> Self {
        let admitted: Vec<_> = rounds.iter().filter(|round| round.is_admitted()).collect();
        let processes = |entry: usize, twin: bool| -> Vec<Option<&Process>> {
            let process = |round: &&'a Round| {
                let process = round.visit(entry, twin)?.outcome.as_ref().ok()?;
                process.value.is_some().then_some(process)
            };
            admitted.iter().map(process).collect()
        };
        let observed: Vec<_> = (0..entries.len())
            .filter(|&entry| failure(rounds, entry).is_none())
            .map(|entry| {
                let processes = processes(entry, false);
                let how = processes.iter().flatten().find_map(|process| process.how.as_ref());
                let contestant = is_contestant(&entries[entry], how.map(|how| how.standing));
                Observed { entry, contestant, processes }
            })
            .filter(|observed| observed.processes.iter().any(Option::is_some))
            .collect();
        // An entry that was excluded after it had been measured still has to tie with itself.
        let twin = doubled(rounds, entries).and_then(|original| {
            let position = observed.iter().position(|o| o.entry == original)?;
            Some((position, processes(original, true)))
        });
        Contest { observed, twin }
    }

    /// Leaves out all entries but these.
    pub fn keep(&mut self, entries: &[usize]) {
        let original = self.twin.as_ref().map(|(position, _)| self.observed[*position].entry);
        self.observed.retain(|observed| entries.contains(&observed.entry));
        let position = self.observed.iter().position(|o| Some(o.entry) == original);
        self.twin = self.twin.take().zip(position).map(|((_, twin), position)| (position, twin));
    }

    /// One series for each of `observed`, by the metric of the case.
    pub fn series(&self) -> Vec<Series> {
        let series = |observed: &Observed<'_>| Series {
            contestant: observed.contestant,
            values: values(&observed.processes),
            until: None,
        };
        self.observed.iter().map(series).collect()
    }

    /// The same by CPU time per operation; who left after how many rounds is known already.
    pub fn cpu_series(&self, until: impl Fn(usize) -> Option<usize>) -> Vec<Series> {
        let cpu = |process: &Option<&Process>| {
            let value = process.as_ref()?.cpu_ns_per_operation?;
            // A process can be too quick for the clock of CPU time.
            Some(value.max(1e-3))
        };
        let series = |(index, observed): (usize, &Observed<'_>)| Series {
            contestant: observed.contestant,
            values: observed.processes.iter().map(cpu).collect(),
            until: until(index),
        };
        self.observed.iter().enumerate().map(series).collect()
    }
}

/// Observations by the metric of the case.
pub fn values(processes: &[Option<&Process>]) -> Vec<Option<f64>> {
    processes.iter().map(|process| process.and_then(|process| process.value)).collect()
}

/// Whether values by a metric are compared: a count can be 0, which has no logarithm, and one process
/// says all there is to say.
pub fn is_judged(metric: Metric) -> bool {
    metric != Metric::StillRunning
}

/// Whether an entry takes part in the comparison: neither excluded nor unfit for it.
fn is_contestant(entry: &PlannedEntry, standing: Option<Standing>) -> bool {
    entry.excluded.is_none() && is_fair(&entry.strategy, standing)
}

/// Whether what somebody measured may be compared: neither the floor nor a misuse.
pub fn is_fair(strategy: &str, standing: Option<Standing>) -> bool {
    !models::is_bound(strategy) && !matches!(standing, Some(Standing::Misuse | Standing::Floor))
}

/// The failure after which an entry, or its twin, is not visited again in a case. A void visit is none: it
/// asks for a quieter machine.
pub fn gave_up(rounds: &[Round], entry: usize, twin: bool) -> Option<&Failure> {
    failures(rounds, entry, twin).find(|failure| failure.failure != FailureKind::Void)
}

/// Why an entry has no number: it gave up, or all its visits were void. What becomes of its twin does not
/// matter here.
pub fn failure(rounds: &[Round], entry: usize) -> Option<&Failure> {
    let mut visits = rounds.iter().filter_map(|round| round.visit(entry, false));
    gave_up(rounds, entry, false).or_else(|| {
        let measured = visits.any(|visit| visit.outcome.is_ok());
        failures(rounds, entry, false).next().filter(|_| !measured)
    })
}

fn failures(rounds: &[Round], entry: usize, twin: bool) -> impl Iterator<Item = &Failure> {
    let visits = rounds.iter().filter_map(move |round| round.visit(entry, twin));
    visits.filter_map(|visit| visit.outcome.as_ref().err())
}

/// Why an entry is no longer held against itself.
#[derive(Debug)]
pub struct TwinFailure<'a> {
    /// The entry's place in the plan.
    pub entry: usize,
    /// Whether only its second visit of a round failed; otherwise the entry has no number at all.
    pub only_twin: bool,
    /// The failure that ended it.
    pub failure: &'a Failure,
}

/// The failure that ended the check of an entry against itself, if one did.
pub fn twin_failure(rounds: &[Round]) -> Option<TwinFailure<'_>> {
    let entry = visited_twice(rounds)?;
    match (gave_up(rounds, entry, false), gave_up(rounds, entry, true)) {
        (Some(failure), _) => Some(TwinFailure { entry, only_twin: false, failure }),
        (None, Some(failure)) => Some(TwinFailure { entry, only_twin: true, failure }),
        (None, None) => None,
    }
}

/// The entry that is visited twice in each round. It stays the same whatever is found out about it later, and
/// comes from the first round that has a contestant.
pub fn doubled(rounds: &[Round], entries: &[PlannedEntry]) -> Option<usize> {
    visited_twice(rounds).or_else(|| rounds.iter().find_map(|round| middle(round, entries)))
}

fn visited_twice(rounds: &[Round]) -> Option<usize> {
    let mut visits = rounds.iter().flat_map(|round| &round.visits);
    visits.find(|visit| visit.twin).map(|visit| visit.entry)
}

/// The contestant in the middle of a round, which is neither favoured nor disfavoured by having been chosen.
fn middle(first: &Round, entries: &[PlannedEntry]) -> Option<usize> {
    let value = |visit: &Visited| {
        let process = visit.outcome.as_ref().ok()?;
        let standing = process.how.as_ref().map(|how| how.standing);
        let fair = is_contestant(&entries[visit.entry], standing);
        Some((visit.entry, process.value.filter(|_| fair)?))
    };
    let visits = first.visits.iter().filter(|visit| !visit.twin);
    let mut values: Vec<_> = visits.filter_map(value).collect();
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    values.get(values.len().saturating_sub(1) / 2).map(|(entry, _)| *entry)
}
