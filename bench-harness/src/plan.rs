//! What a run will do, fixed before it starts: cases, entries, order.

use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::launch::Description;
use worker::protocol::SamplingPlan;
use workloads::{Amount, Case, Class, Digest, Entry, Limit, Metric, Profile, Sampling};

use crate::programs::Program;

/// Version of the files of a run.
pub(crate) const SCHEMA: u32 = 3;

/// `plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) schema: u32,
    pub(crate) profile: Profile,
    pub(crate) faithful: bool,
    pub(crate) seed: u64,
    /// The most worker threads that a case gets.
    pub(crate) workers: usize,
    pub(crate) rounds: u32,
    /// Milliseconds after which a process is killed.
    pub(crate) time_limit_ms: u64,
    pub(crate) cases: Vec<PlannedCase>,
    pub(crate) entries: Vec<PlannedEntry>,
    /// The capacity from which rates follow, where any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<Capacity>,
}

/// What the slowest contestant served in time before the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Capacity {
    pub(crate) entry: String,
    pub(crate) per_second: f64,
}

/// A workload with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlannedCase {
    pub(crate) id: String,
    pub(crate) workload: String,
    pub(crate) params: Value,
    pub(crate) workers: usize,
    /// The id without the number of workers, where it is measured with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) swept: Option<String>,
    pub(crate) operations: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Amount>,
    pub(crate) metric: Metric,
    pub(crate) limit: Limit,
    pub(crate) sampling: SamplingPlan,
    /// Whether it is measured in the first round only.
    #[serde(default)]
    pub(crate) first_round: bool,
    /// The right answer, from the oracle.
    pub(crate) expected: Digest,
}

/// A strategy variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedEntry {
    /// Unique in the run: the strategy's name, with the variant where it has several.
    pub(crate) id: String,
    pub(crate) strategy: String,
    pub(crate) variant: String,
    /// BLAKE3 of the executable.
    pub(crate) program_blake3: String,
    /// The workloads that it has, where it has not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) only: Option<Vec<String>>,
}

impl PlannedEntry {
    pub(crate) fn has(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == workload))
    }
}

/// One visit: one process run of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) round: u32,
    pub(crate) case: usize,
    pub(crate) entry: usize,
}

impl Plan {
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_millis(self.time_limit_ms)
    }

    /// All visits in order. The outer loop sweeps over the cases, so that one case's rounds lie far
    /// apart in time; inside a round the entries come in random order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut steps = Vec::new();
        for round in 0..self.rounds {
            for (case, planned) in self.cases.iter().enumerate() {
                if planned.first_round && round > 0 {
                    continue;
                }
                let mut entries: Vec<_> = (0..self.entries.len())
                    .filter(|&entry| self.entries[entry].has(&planned.workload))
                    .collect();
                entries.shuffle(&mut random);
                steps.extend(entries.into_iter().map(|entry| Step { round, case, entry }));
            }
        }
        steps
    }
}

impl PlannedCase {
    pub(crate) fn new(
        sized: &SizedCase,
        case: &Case,
        sampling: SamplingPlan,
        expected: Digest,
    ) -> Self {
        PlannedCase {
            // A sweep's id says the workers; others may hold what was settled.
            id: if sized.swept.is_some() { sized.id.clone() } else { case.id.clone() },
            workload: sized.entry.spec.name.to_owned(),
            params: case.params.clone(),
            workers: sized.workers,
            swept: sized.swept.clone(),
            operations: case.operations,
            amount: case.amount,
            metric: case.metric,
            limit: case.limit.clone(),
            sampling,
            first_round: case.sampling == Sampling::FirstRound,
            expected,
        }
    }
}

/// A case with the number of workers that it gets, not yet settled.
#[derive(Debug, Clone)]
pub(crate) struct SizedCase {
    /// Unique in the run: the case's own id, with the number of workers where it gets several.
    pub(crate) id: String,
    pub(crate) entry: Entry,
    pub(crate) case: Case,
    pub(crate) workers: usize,
    /// The case's own id, where it gets several numbers of workers.
    pub(crate) swept: Option<String>,
}

/// The cases with each number of workers where they compute, and with the largest where they do not.
/// `counts` go up and are not empty.
pub(crate) fn sized(cases: Vec<(Entry, Case)>, counts: &[usize]) -> Vec<SizedCase> {
    let sized = |(entry, case): (Entry, Case)| -> Vec<SizedCase> {
        let swept = entry.spec.class == Class::Cpu && counts.len() > 1;
        let counts = if swept { counts } else { &counts[counts.len() - 1..] };
        let id = |workers| {
            let separator = if case.id.contains('/') { ',' } else { '/' };
            if swept { format!("{}{separator}w={workers}", case.id) } else { case.id.clone() }
        };
        let sized = |&workers| SizedCase {
            id: id(workers),
            entry,
            case: case.clone(),
            workers,
            swept: swept.then(|| case.id.clone()),
        };
        counts.iter().map(sized).collect()
    };
    cases.into_iter().flat_map(sized).collect()
}

/// The entries that programs make: each variant of each.
pub(crate) fn entries(programs: &[Program]) -> Vec<PlannedEntry> {
    let entry = |program: &Program, variant: &str| PlannedEntry {
        id: entry_id(&program.strategy, &program.description, variant),
        strategy: program.strategy.clone(),
        variant: variant.to_owned(),
        program_blake3: program.hash.clone(),
        only: program.description.only.get(variant).cloned(),
    };
    programs
        .iter()
        .flat_map(|program| match program.description.variants.as_slice() {
            [] => vec![entry(program, "default")],
            variants => variants.iter().map(|variant| entry(program, variant)).collect(),
        })
        .collect()
}

/// The strategy's name; with the variant where that is not the first, or where several take part in
/// everything.
fn entry_id(strategy: &str, description: &Description, variant: &str) -> String {
    let Description { variants, only, .. } = description;
    let complete = variants.iter().filter(|variant| !only.contains_key(*variant)).count();
    let first = variants.first().is_none_or(|first| first == variant);
    if first && complete <= 1 { strategy.to_owned() } else { format!("{strategy}/{variant}") }
}

/// Rounds of a profile.
pub(crate) fn rounds(profile: Profile) -> u32 {
    match profile {
        Profile::Smoke => 2,
        Profile::Quick => 4,
        Profile::Standard => 12,
        Profile::Thorough => 40,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan(cases: &[&str], entries: &[&str], rounds: u32) -> Plan {
        Plan {
            schema: SCHEMA,
            profile: Profile::Quick,
            faithful: false,
            seed: 1,
            workers: 2,
            rounds,
            time_limit_ms: 1_000,
            cases: cases
                .iter()
                .map(|id| PlannedCase {
                    id: (*id).to_owned(),
                    workload: id.split('/').next().unwrap().to_owned(),
                    params: serde_json::json!({}),
                    workers: 2,
                    swept: None,
                    operations: 100,
                    amount: None,
                    metric: workloads::find(id.split('/').next().unwrap())
                        .map_or(Metric::Wall, |workload| workload.spec.metric),
                    limit: Limit::SequentialOverWorkers,
                    sampling: SamplingPlan { warmup: 1, min_samples: 1, budget_ns: 0 },
                    first_round: false,
                    expected: Digest::of_number(1),
                })
                .collect(),
            entries: entries
                .iter()
                .map(|id| PlannedEntry {
                    id: (*id).to_owned(),
                    strategy: id.split('/').next().unwrap().to_owned(),
                    variant: id.split('/').nth(1).unwrap_or("default").to_owned(),
                    program_blake3: String::new(),
                    only: None,
                })
                .collect(),
            capacity: None,
        }
    }

    #[test]
    fn every_cell_is_visited_once_a_round_and_rounds_lie_apart() {
        let steps = plan(&["map", "join"], &["a", "b", "c"], 4).steps();
        assert_eq!(steps.len(), 4 * 2 * 3);
        for (number, round) in steps.chunks(3).enumerate() {
            assert!(round.iter().all(|step| step.round as usize == number / 2));
            assert!(round.iter().all(|step| step.case == number % 2));
            let mut entries: Vec<_> = round.iter().map(|step| step.entry).collect();
            entries.sort_unstable();
            assert_eq!(entries, [0, 1, 2]);
        }
    }

    #[test]
    fn partial_entries_and_facts_are_visited_only_where_and_when_they_take_part() {
        let mut plan = plan(&["map", "deadline/later"], &["a", "b"], 3);
        plan.entries[1].only = Some(vec!["map".to_owned()]);
        plan.cases[1].first_round = true;
        let visits = |case, entry| {
            plan.steps().iter().filter(|step| step.case == case && step.entry == entry).count()
        };
        assert_eq!([visits(0, 0), visits(0, 1), visits(1, 0), visits(1, 1)], [3, 3, 1, 0]);
    }

    #[test]
    fn cases_that_compute_get_every_number_of_workers_and_others_the_largest() {
        let cases = || -> Vec<_> {
            let case = |name| {
                let entry = workloads::find(name).unwrap();
                (entry, entry.cases(Profile::Quick).remove(0))
            };
            ["map", "join", "ring"].map(case).into()
        };
        let ids = |counts: &[usize]| -> Vec<(String, usize)> {
            sized(cases(), counts).into_iter().map(|sized| (sized.id, sized.workers)).collect()
        };
        let id = |id: &str, workers| (id.to_owned(), workers);
        assert_eq!(ids(&[4]), [id("map", 4), id("join/cutoff=1", 4), id("ring", 4)]);
        assert_eq!(
            ids(&[1, 4]),
            [
                id("map/w=1", 1),
                id("map/w=4", 4),
                id("join/cutoff=1,w=1", 1),
                id("join/cutoff=1,w=4", 4),
                id("ring", 4),
            ]
        );
    }

    #[test]
    fn a_variant_is_named_where_the_strategy_alone_does_not_tell() {
        let description = |variants: &[&str], only: &[&str]| Description {
            strategy: String::new(),
            variants: variants.iter().map(|&name| name.to_owned()).collect(),
            only: only.iter().map(|&name| (name.to_owned(), Vec::new())).collect(),
        };
        let tokio = description(&["multi-thread", "misuse"], &["misuse"]);
        assert_eq!(entry_id("tokio", &tokio, "multi-thread"), "tokio");
        assert_eq!(entry_id("tokio", &tokio, "misuse"), "tokio/misuse");
        let floor = description(&["sequential", "event-loop"], &[]);
        assert_eq!(entry_id("floor", &floor, "sequential"), "floor/sequential");
        let hybrid = description(&["tokio-rayon"], &["tokio-rayon"]);
        assert_eq!(entry_id("hybrid", &hybrid, "tokio-rayon"), "hybrid");
        assert_eq!(entry_id("mute", &Description::default(), "default"), "mute");
    }

    #[test]
    fn the_seed_decides_the_order() {
        let first = plan(&["map"], &["a", "b", "c", "d"], 10);
        let second = Plan { seed: 2, ..first.clone() };
        assert_eq!(first.steps(), first.steps());
        assert_ne!(first.steps(), second.steps());
        let firsts: Vec<_> = first.steps().chunks(4).map(|round| round[0].entry).collect();
        assert!(firsts.iter().any(|entry| *entry != firsts[0]), "one entry always comes first");
    }
}
