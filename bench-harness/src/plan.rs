//! What a run will do, fixed before it starts: cases, entries, order.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::launch::{Description, Placement};
use worker::protocol::{Failure, SamplingPlan};
use workloads::{Amount, Case, Class, Digest, Entry, Limit, Metric, Profile, Sampling};

use crate::decide::{DESCRIBED, LeftOut};
use crate::judge::{Design, MARGIN};
use crate::map::Map;
use crate::programs::Program;
use crate::service::ServiceProfile;

/// Version of the files of a run.
pub(crate) const SCHEMA: u32 = 4;

/// Ratio up to which a difference decides nothing about the architecture of a service.
pub(crate) const ARCHITECTURE_MARGIN: f64 = 1.1;

/// `plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) schema: u32,
    pub(crate) profile: Profile,
    pub(crate) faithful: bool,
    pub(crate) seed: u64,
    /// The most worker threads that a case gets.
    pub(crate) workers: usize,
    /// When cases are judged.
    pub(crate) design: Design,
    /// Milliseconds that measuring may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget_ms: Option<u64>,
    /// Milliseconds after which a process is killed.
    pub(crate) time_limit_ms: u64,
    pub(crate) cases: Vec<PlannedCase>,
    pub(crate) entries: Vec<PlannedEntry>,
    /// The capacity from which rates follow, where any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<Capacity>,
    /// The service that is to be decided about, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<ServiceProfile>,
    /// What was to be measured of the service and does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_out: Option<Vec<LeftOut>>,
    /// The map that is to be drawn, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) map: Option<Map>,
}

/// What the slowest contestant served in time before the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Capacity {
    pub(crate) entry: String,
    pub(crate) per_second: f64,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To compare all models by the workloads.
    Comparison,
    /// To decide about a service.
    Decision,
    /// To see where one model takes over from another.
    Map,
}

impl Purpose {
    /// Whether the floor and entries that cannot win are left out.
    fn leaves_out_bystanders(self) -> bool {
        match self {
            Purpose::Comparison => false,
            Purpose::Decision | Purpose::Map => true,
        }
    }
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
    /// On which CPUs its processes run.
    #[serde(default, skip_serializing_if = "is_free")]
    pub(crate) placement: Placement,
    pub(crate) operations: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Amount>,
    pub(crate) metric: Metric,
    pub(crate) limit: Limit,
    pub(crate) sampling: SamplingPlan,
    /// Whether it is measured in the first round only.
    #[serde(default)]
    pub(crate) first_round: bool,
    /// Whether neither the floor nor who cannot win is measured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) contestants_only: bool,
    /// The right answer, from the oracle.
    pub(crate) expected: Digest,
    /// Why there is none, so that nothing can be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unanswered: Option<Failure>,
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
    /// Why it is measured but cannot win, where somebody decides so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) excluded: Option<String>,
}

impl PlannedEntry {
    pub(crate) fn has(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == workload))
    }

    /// Whether it is measured in a case.
    pub(crate) fn takes_part_in(&self, case: &PlannedCase) -> bool {
        let can_win = self.strategy != "floor" && self.excluded.is_none();
        self.has(&case.workload) && (can_win || !case.contestants_only)
    }
}

fn is_free(placement: &Placement) -> bool {
    *placement == Placement::Free
}

impl Plan {
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_millis(self.time_limit_ms)
    }

    pub(crate) fn budget(&self) -> Option<Duration> {
        self.budget_ms.map(Duration::from_millis)
    }

    pub(crate) fn purpose(&self) -> Purpose {
        match (&self.map, &self.service) {
            (Some(_), _) => Purpose::Map,
            (None, Some(_)) => Purpose::Decision,
            (None, None) => Purpose::Comparison,
        }
    }

    /// Whether all else waits until a case is decided.
    pub(crate) fn is_decisive(&self, case: &PlannedCase) -> bool {
        self.purpose() == Purpose::Decision && case.id == DESCRIBED
    }
}

impl PlannedCase {
    pub(crate) fn new(
        sized: &SizedCase,
        case: &Case,
        sampling: SamplingPlan,
        expected: Digest,
        purpose: Purpose,
    ) -> Self {
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

/// Workloads in which somebody is woken all the time. Where the system places the two decides much of the
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

/// The strategy's name; with the variant where that is not the first, or where several take part in
/// everything.
fn entry_id(strategy: &str, description: &Description, variant: &str) -> String {
    let Description { variants, only, .. } = description;
    let complete = variants.iter().filter(|variant| !only.contains_key(*variant)).count();
    let first = variants.first().is_none_or(|first| first == variant);
    if first && complete <= 1 { strategy.to_owned() } else { format!("{strategy}/{variant}") }
}

/// When a profile judges. Found by simulation: `docs/src/method.md` has the error rates.
pub(crate) fn design(profile: Profile, purpose: Purpose) -> Design {
    let (block, looks): (_, &[usize]) = match (profile, purpose) {
        (Profile::Smoke, _) => (1, &[2]),
        // A map has many points, and what is close in one of them matters little.
        (Profile::Quick, Purpose::Map) => (1, &[3]),
        (Profile::Quick, _) => (1, &[3, 5, 8]),
        (Profile::Standard, _) => (1, &[4, 6, 9, 14, 20]),
        (Profile::Thorough, _) => (6, &[4, 6, 9, 14, 20]),
    };
    let margin = if purpose == Purpose::Comparison { MARGIN } else { ARCHITECTURE_MARGIN };
    Design { margin, ..Design::new(block, looks) }
}

/// What a quick decision takes for measuring a service as described.
const DESCRIBED_BUDGET: Duration = Duration::from_secs(210);

/// Time that a profile takes for measuring.
pub(crate) fn budget(profile: Profile, purpose: Purpose, described_only: bool) -> Option<Duration> {
    match (profile, purpose) {
        (Profile::Quick, Purpose::Comparison) => Some(Duration::from_secs(285)),
        (Profile::Quick, Purpose::Decision) if described_only => Some(DESCRIBED_BUDGET),
        (Profile::Quick, _) => Some(Duration::from_mins(9)),
        (Profile::Standard, Purpose::Comparison) => Some(Duration::from_mins(15)),
        (Profile::Standard, _) => Some(Duration::from_mins(25)),
        (Profile::Smoke | Profile::Thorough, _) => None,
    }
}

/// So many times as long as its windows is a round, with all that is beside them.
const BESIDE_WINDOWS: f64 = 1.1;

/// Time that a decision takes for measuring whose first look at the service has windows of so long in all. Requests may
/// be so long or so rare that the usual time would not do for one look.
pub(crate) fn decision_budget(
    profile: Profile,
    described_only: bool,
    first_look: Duration,
) -> Option<Duration> {
    let needed = first_look.mul_f64(BESIDE_WINDOWS);
    let usual = budget(profile, Purpose::Decision, described_only)?;
    let whole = budget(profile, Purpose::Decision, false)?;
    Some(if needed <= usual { usual } else { whole.max(needed) })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan(cases: &[&str], entries: &[&str], rounds: usize) -> Plan {
        Plan {
            schema: SCHEMA,
            profile: Profile::Quick,
            faithful: false,
            seed: 1,
            workers: 2,
            design: Design::once(rounds),
            budget_ms: None,
            time_limit_ms: 1_000,
            cases: cases
                .iter()
                .map(|id| PlannedCase {
                    id: (*id).to_owned(),
                    workload: id.split('/').next().unwrap().to_owned(),
                    params: serde_json::json!({}),
                    workers: 2,
                    swept: None,
                    placement: Placement::Free,
                    operations: 100,
                    amount: None,
                    metric: workloads::find(id.split('/').next().unwrap())
                        .map_or(Metric::Wall, |workload| workload.spec.metric),
                    limit: Limit::SequentialOverWorkers,
                    sampling: SamplingPlan { warmup: 1, min_samples: 1, budget_ns: 0 },
                    first_round: false,
                    contestants_only: false,
                    expected: Digest::of_number(1),
                    unanswered: None,
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
                    excluded: None,
                })
                .collect(),
            capacity: None,
            service: None,
            left_out: None,
            map: None,
        }
    }

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
        let floor = description(&["sequential", "event-loop"], &[]);
        assert_eq!(entry_id("floor", &floor, "sequential"), "floor/sequential");
        let hybrid = description(&["tokio-rayon"], &["tokio-rayon"]);
        assert_eq!(entry_id("hybrid", &hybrid, "tokio-rayon"), "hybrid");
        assert_eq!(entry_id("mute", &Description::default(), "default"), "mute");
    }
}
