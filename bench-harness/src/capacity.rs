//! The rate from which the rates of open loops follow.

use record::models;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use launch::Visit;
use protocol::Placement;
use protocol::SamplingPlan;
use workloads::observation;
use workloads::{Case, Entry, Metric, Site};

use crate::planning;
use crate::programs::Program;
use crate::progress::Teller;
use record::{Capacity, PlannedEntry};

/// What a search for a contestant's capacity has found.
struct Found<'a> {
    planned: PlannedEntry,
    program: &'a Program,
    rate: f64,
    /// Whether it was searched for twice; then it is the better of the two.
    confirmed: bool,
}

/// The lowest capacity of all contestants, from which the rates of open loops follow, so that everybody
/// can keep up with them; `None` where no case asks for it.
pub(crate) fn capacity(
    cases: &[(Entry, Case)],
    programs: &[Program],
    peer: &Path,
    workers: usize,
    time_limit: Duration,
    teller: Teller,
) -> anyhow::Result<Option<Capacity>> {
    let Some((rated, _)) = cases.iter().find(|(_, case)| case.rated) else { return Ok(None) };
    let search = cases.iter().find(|(entry, case)| {
        entry.spec.name == rated.spec.name && case.metric == Metric::Capacity
    });
    let Some((entry, case)) = search else { return Ok(None) };
    teller.tell(&format!("looking for the capacity of {}\n", entry.spec.name));
    let site = Site { scratch: Path::new(""), workers, backend: None };
    let expected = entry.expected(&case.params, &site)?;
    let search = |program: &Program, variant: &str| {
        let visit = Visit {
            program: &program.path,
            peer,
            variant,
            workload: entry.spec.name,
            kind: entry.kind,
            backend: entry.backend,
            params: &case.params,
            workers,
            placement: Placement::Free,
            sampling: SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 },
            scratch: Path::new(""),
            time_limit,
            expected,
        };
        // What fails here fails again in the run, and is a row there.
        observation::capacity(&visit.run().ok()?)
    };
    let mut found = Vec::new();
    for planned in planning::entries(programs) {
        let program = programs.iter().find(|p| p.strategy == planned.strategy);
        let program = program.context("entries are made from programs")?;
        let default = program.description.variants.first() == Some(&planned.variant);
        if models::is_bound(&planned.strategy) || !default || !planned.has(entry.spec.name) {
            continue;
        }
        let first = search(program, &planned.variant);
        found.extend(first.map(|rate| Found { planned, program, rate, confirmed: false }));
    }
    // One search can meet a bad moment, and the rates of all would follow from it.
    while let Some(lowest) = found.iter_mut().min_by(|a, b| a.rate.total_cmp(&b.rate)) {
        if lowest.confirmed || launch::stopped() {
            let (entry, per_second) = (lowest.planned.id.clone(), lowest.rate);
            return Ok(Some(Capacity { entry, per_second }));
        }
        let again = search(lowest.program, &lowest.planned.variant).unwrap_or(0.0);
        lowest.rate = lowest.rate.max(again);
        lowest.confirmed = true;
    }
    // With nobody to go by, such as when only the floor runs, a rate that any server keeps up with.
    Ok(Some(Capacity { entry: "nobody".to_owned(), per_second: 1_000.0 }))
}
