//! From the measurements of a described service to a decision: a pure function.

use record::models;
use record::service::ServiceProfile;
use record::{Change, DESCRIBED, LeftOut, PlannedEntry};

use crate::case::CaseReport;
use crate::text::{By, ratio};

mod decision;
mod limits;
mod sensitivity;
mod standing;
mod words;

pub use decision::{Decision, DecisionOption, Effect, Outcome, Sensitivity};
pub use limits::exclude;
use limits::{capacity, no_capacity, row};
use sensitivity::sensitivity;
use standing::Standing;
use words::{drivers, summary};

/// The decision that the cases lead to; entries that are excluded say so.
pub fn decide(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entries: &[PlannedEntry],
    left_out: Option<&[LeftOut]>,
) -> Option<Decision> {
    let described = cases.iter().find(|case| case.id == DESCRIBED)?;
    let standing = Standing::of(described, entries);
    let (mut outcome, chosen) = standing.outcome(service);
    // That nothing was measured excludes nothing.
    let unmeasured =
        described.rows.iter().any(|row| row.missing.is_some() && row.excluded.is_none());
    if outcome == Outcome::Nobody && unmeasured {
        outcome = Outcome::Undecided;
    }
    let best = if standing.best.is_empty() { standing.open.clone() } else { standing.best.clone() };
    let settles = (outcome == Outcome::Undecided).then(|| standing.settles(described));
    let is_option =
        |entry: &&PlannedEntry| !models::is_bound(&entry.strategy) && entry.has("traffic");
    let options = entries.iter().filter(is_option).map(|entry| {
        let row = row(cases, DESCRIBED, &entry.id);
        let measured = row.and_then(|row| row.numbers.as_ref());
        let failed = row.and_then(|row| row.failure.as_ref());
        DecisionOption {
            entry: entry.id.clone(),
            excluded: entry
                .excluded
                .clone()
                .or_else(|| failed.map(|failure| format!("{}: {}", failure.kind, failure.reason))),
            verdict: measured.and_then(|numbers| numbers.verdict),
            ratio_in_words: row.map_or_else(|| "—".to_owned(), |r| ratio(described, r, By::Metric)),
            ratio: measured.and_then(|numbers| numbers.ratio),
            ratio_to: measured.and_then(|numbers| numbers.ratio_to.clone()),
            capacity: capacity(service, cases, &entry.id),
            no_capacity: no_capacity(service, cases, left_out.unwrap_or_default(), &entry.id),
            p99_ns: measured.and_then(|numbers| numbers.latency_p99_ns),
            cpu_ns_per_request: measured.and_then(|numbers| numbers.cpu_ns_per_operation),
            peak_memory_bytes: measured.and_then(|numbers| numbers.peak_memory_bytes),
            peak_threads: measured.and_then(|numbers| numbers.peak_threads),
        }
    });
    let sensitivity = Change::ALL
        .map(|change| sensitivity(service, cases, entries, left_out, chosen.as_deref(), change));
    Some(Decision {
        service: service.name.clone(),
        outcome,
        summary: summary(service, &standing, outcome, chosen.as_deref()),
        chosen,
        best,
        settles,
        drivers: drivers(service),
        options: options.collect(),
        sensitivity: sensitivity.into(),
        reservations: service.reservations(),
    })
}

#[cfg(test)]
mod tests;
