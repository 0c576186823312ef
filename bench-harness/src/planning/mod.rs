//! What a run will do, fixed before it starts: cases, entries, order.

use launch::Description;
use protocol::Placement;
use protocol::SamplingPlan;
use workloads::{Case, Class, Digest, Entry, Sampling};

use crate::programs::Program;
use record::{PlannedCase, PlannedEntry, Purpose};

pub(crate) mod decision;
pub(crate) mod map;
mod point;
mod windows;

/// The plan of a case that has been settled.
pub(crate) fn planned(
    sized: &SizedCase,
    case: &Case,
    sampling: SamplingPlan,
    expected: Digest,
    purpose: Purpose,
) -> PlannedCase {
    // The id of a sweep or a pinned case says so, as does one that was given; others may hold what was
    // settled.
    let id = match (&sized.swept, sized.placement, sized.named) {
        (None, Placement::Free, false) => case.id.clone(),
        _ => sized.id.clone(),
    };
    PlannedCase {
        contestants_only: purpose.leaves_out_bystanders(),
        id,
        workload: sized.entry.spec.name.to_owned(),
        params: case.params.clone(),
        workers: sized.workers,
        swept: sized.swept.clone(),
        placement: sized.placement,
        operations: case.operations,
        amount: case.amount,
        metric: case.metric,
        limit: case.limit.clone(),
        sampling,
        first_round: case.sampling == Sampling::FirstRound,
        expected,
        unanswered: None,
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
    pub(crate) placement: Placement,
    /// Whether its id was given to it, and does not follow from its parameters.
    pub(crate) named: bool,
}

/// Workloads in which threads or tasks are woken all the time. Where the system places the two decides much of the
/// result, so that their first case is also measured on one CPU.
const WAKING: [&str; 3] = ["channel", "ring", "echo"];

/// The cases with each number of workers where they compute, and with the largest where they do not; the
/// first case of each [`WAKING`] workload also on one CPU. `counts` go up and are not empty.
pub(crate) fn sized(cases: Vec<(Entry, Case)>, counts: &[usize]) -> Vec<SizedCase> {
    let mut sized = Vec::new();
    for (entry, case) in cases {
        let separator = if case.id.contains('/') { ',' } else { '/' };
        let swept = entry.spec.class == Class::Cpu && counts.len() > 1;
        let counts = if swept { counts } else { &counts[counts.len() - 1..] };
        let first = |known: &SizedCase| known.entry.spec.name == entry.spec.name;
        let pinned = WAKING.contains(&entry.spec.name) && !sized.iter().any(first);
        let one = |workers, suffix: String, placement| SizedCase {
            id: format!("{}{suffix}", case.id),
            entry,
            case: case.clone(),
            workers,
            swept: swept.then(|| case.id.clone()),
            placement,
            named: entry.case(&case.params).is_ok_and(|own| own.id != case.id),
        };
        sized.extend(counts.iter().map(|&workers| {
            let suffix = if swept { format!("{separator}w={workers}") } else { String::new() };
            one(workers, suffix, Placement::Free)
        }));
        if pinned {
            let largest = counts[counts.len() - 1];
            sized.push(one(largest, format!("{separator}one-cpu"), Placement::OneCpu));
        }
    }
    sized
}

/// The entries that programs make: each variant of each.
pub(crate) fn entries(programs: &[Program]) -> Vec<PlannedEntry> {
    let entry = |program: &Program, variant: &str| PlannedEntry {
        id: entry_id(&program.strategy, &program.description, variant),
        strategy: program.strategy.clone(),
        variant: variant.to_owned(),
        program_blake3: program.hash.clone(),
        only: program.description.only.get(variant).cloned(),
        excluded: None,
    };
    programs
        .iter()
        .flat_map(|program| match program.description.variants.as_slice() {
            [] => vec![entry(program, "default")],
            variants => variants.iter().map(|variant| entry(program, variant)).collect(),
        })
        .collect()
}

/// The strategy's name; with the variant where that is not the first, where several take part in everything, or
/// where the strategy is a bound: what bounds others is one of its variants.
fn entry_id(strategy: &str, description: &Description, variant: &str) -> String {
    let Description { variants, only, .. } = description;
    let complete = variants.iter().filter(|variant| !only.contains_key(*variant)).count();
    let first = variants.first().is_none_or(|first| first == variant);
    let is_bound = record::models::is_bound(strategy);
    if first && complete <= 1 && !is_bound {
        strategy.to_owned()
    } else {
        format!("{strategy}/{variant}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use record::DESCRIBED;
    use record::fixtures::plan;
    use workloads::Profile;

    #[test]
    fn cases_that_compute_get_every_number_of_workers_and_others_the_largest_and_those_that_wake_one_cpu()
     {
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
        assert_eq!(
            ids(&[4]),
            [id("map", 4), id("join/cutoff=1", 4), id("ring", 4), id("ring/one-cpu", 4)]
        );
        assert_eq!(
            ids(&[1, 4]),
            [
                id("map/w=1", 1),
                id("map/w=4", 4),
                id("join/cutoff=1,w=1", 1),
                id("join/cutoff=1,w=4", 4),
                id("ring", 4),
                id("ring/one-cpu", 4),
            ]
        );
    }

    #[test]
    fn what_cannot_be_chosen_is_measured_in_comparisons_only() {
        let mut plan = plan(&[DESCRIBED], &["tokio", "smol", "floor"], 3);
        plan.entries[1].excluded = Some("no".to_owned());
        let mut taking_part = |purpose: Purpose| -> Vec<_> {
            plan.cases[0].contestants_only = purpose.leaves_out_bystanders();
            let takes_part = |entry: &&PlannedEntry| entry.takes_part_in(&plan.cases[0]);
            plan.entries.iter().filter(takes_part).map(|entry| entry.id.clone()).collect()
        };
        assert_eq!(taking_part(Purpose::Comparison), ["tokio", "smol", "floor"]);
        assert_eq!(taking_part(Purpose::Decision), ["tokio"]);
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
        let floor = description(&["sequential", "event-loop"], &["event-loop"]);
        assert_eq!(entry_id("floor", &floor, "sequential"), "floor/sequential");
        let both = description(&["first", "second"], &[]);
        assert_eq!(entry_id("mine", &both, "first"), "mine/first");
        let hybrid = description(&["tokio-rayon"], &["tokio-rayon"]);
        assert_eq!(entry_id("hybrid", &hybrid, "tokio-rayon"), "hybrid");
        assert_eq!(entry_id("mute", &Description::default(), "default"), "mute");
    }
}
