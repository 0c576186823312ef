//! What the service demands of every option, and which of them do not keep to it.

use judge::Figure;
use protocol::units::{self, Scale};
use record::service::{Optimise, ServiceProfile};
use record::{CAPACITY, DESCRIBED, LeftOut, PlannedEntry};

use crate::case::{CaseReport, Numbers, Row};
use crate::shown::Shown;

/// Excludes entries that keep to no limit of the service, by what was measured of it as described. Says
/// whether any was.
pub fn exclude(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entries: &mut [PlannedEntry],
) -> bool {
    let mut any = false;
    for entry in entries.iter_mut().filter(|entry| entry.excluded.is_none()) {
        entry.excluded = broken_limit(service, cases, &entry.id);
        any |= entry.excluded.is_some();
    }
    any
}

pub(super) fn row<'a>(cases: &'a [CaseReport], id: &str, entry: &str) -> Option<&'a Row> {
    cases.iter().find(|case| case.id == id)?.rows.iter().find(|row| row.entry == entry)
}

pub(super) fn numbers<'a>(cases: &'a [CaseReport], id: &str, entry: &str) -> Option<&'a Numbers> {
    row(cases, id, entry)?.numbers.as_ref()
}

/// The case that searches for the capacity.
pub(super) fn capacity_case(service: &ServiceProfile) -> &'static str {
    if service.objective.optimise == Optimise::Throughput { DESCRIBED } else { CAPACITY }
}

/// Requests a second that an entry serves within the objective.
pub(super) fn capacity(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entry: &str,
) -> Option<Figure> {
    Some(numbers(cases, capacity_case(service), entry)?.operations_per_second)
}

/// Why an entry has no capacity.
pub(super) fn no_capacity(
    service: &ServiceProfile,
    cases: &[CaseReport],
    left_out: &[LeftOut],
    entry: &str,
) -> Option<String> {
    let id = capacity_case(service);
    let Some(case) = cases.iter().find(|case| case.id == id) else {
        let left_out = left_out.iter().find(|left_out| left_out.case == id);
        let reason = left_out.map(|left_out| format!("not searched for: {}", left_out.reason));
        return Some(reason.unwrap_or_else(|| "no search for it was made".to_owned()));
    };
    let row = case.rows.iter().find(|row| row.entry == entry);
    let Some(row) = row else { return Some("not searched for: it is excluded".to_owned()) };
    if row.numbers.is_some() {
        return None;
    }
    let failure =
        row.failure.as_ref().map(|failure| format!("{}: {}", failure.kind, failure.reason));
    failure.or_else(|| row.missing.clone())
}

/// So many times the objective is a p99 that breaks it beyond doubt, whatever the noise.
pub(super) const BEYOND_DOUBT: f64 = 2.0;

/// Why an entry cannot be chosen whatever else it does, as the sentence says.
pub(super) fn broken_limit(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entry: &str,
) -> Option<String> {
    let described = numbers(cases, DESCRIBED, entry)?;
    let limits = &service.limits;
    if let Some((took, most)) = described.most_memory_bytes.zip(limits.memory_bytes)
        && took > most
    {
        let (took, most) = (units::bytes(took as f64), units::bytes(most as f64));
        return Some(format!("it took up to {took} of memory, and the limit is {most}"));
    }
    if let Some((took, most)) = described.peak_threads.zip(limits.threads)
        && took > most
    {
        return Some(format!("it took {took} threads, and the limit is {most}"));
    }
    let rate = service.load.rate? as f64;
    let asked = units::per_second(rate);
    let objective = service.objective.p99.as_nanos() as f64;
    // What was seen to meet the objective at the rate serves it, whatever a search made of it.
    let p99 = described.latency_p99_ns;
    let is_open = service.objective.optimise != Optimise::Throughput;
    if is_open && p99.is_some_and(|p99| p99.estimate <= objective) {
        return None;
    }
    let capacity = capacity(service, cases, entry);
    if let Some(serves) = capacity.filter(|serves| serves.high.unwrap_or(serves.estimate) < rate) {
        let (serves, objective) =
            (serves.shown_with_interval(Scale::PerSecond), units::duration(objective));
        return Some(format!(
            "it serves {serves} with a p99 below {objective}, and {asked} are asked for{}",
            by_default(service, entry)
        ));
    }
    let is_certified = capacity.and_then(|serves| serves.low).is_some_and(|low| low >= rate);
    let p99 = p99.filter(|_| !is_certified)?;
    (p99.estimate > BEYOND_DOUBT * objective).then(|| {
        let (p99, objective) = (p99.shown(Scale::Duration), units::duration(objective));
        let default = by_default(service, entry);
        format!("its p99 is {p99} with {asked}, and the objective is {objective}{default}")
    })
}

/// The default or the timer that decides it, where one does.
pub(super) fn by_default(service: &ServiceProfile, entry: &str) -> String {
    let strategy = strategy_of(entry);
    let reasons = [service.bounded_by_default(strategy), service.lengthened_by_timer(strategy)];
    reasons.into_iter().flatten().map(|reason| format!("; {reason}")).collect()
}

pub(super) fn strategy_of(entry: &str) -> &str {
    entry.split('/').next().unwrap_or(entry)
}
