//! From the measurements of a described service to a decision: a pure function.

use crate::shown::Shown;
use protocol::units;
use protocol::units::Scale;
use record::{CAPACITY, Change, DESCRIBED, LeftOut};
use serde::Serialize;

use crate::case::{CaseReport, Numbers, Row};
use crate::text::{By, ratio};
use judge::ARCHITECTURE_MARGIN;
use judge::Figure;
use judge::Verdict;
use record::PlannedEntry;
use record::service::{Optimise, ServiceProfile};

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// One option is clear of all others.
    Clear,
    /// Several tie, and the declared preferences choose.
    ByPreference,
    /// Several tie, and no preference was declared.
    Tied,
    /// The measurements do not tell.
    Undecided,
    /// No option is left.
    Nobody,
}

/// A decision with its evidence.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// What the service is called.
    pub service: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The entry that is chosen, if one is.
    pub chosen: Option<String>,
    /// Those that are best or tied; of an undecided one, those that may be.
    pub best: Vec<String>,
    /// The outcome in a sentence or two.
    pub summary: String,
    /// The measurement that would settle what is undecided.
    pub settles: Option<String>,
    /// What the service has to achieve, in words.
    pub drivers: Vec<String>,
    /// Every entry that could be chosen.
    pub options: Vec<DecisionOption>,
    /// What becomes of it when one thing changes.
    pub sensitivity: Vec<Sensitivity>,
    /// Defaults and timers that decide something here, each with the setting that changes it.
    pub reservations: Vec<String>,
}

/// One option.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionOption {
    /// The entry's id.
    pub entry: String,
    /// Why it cannot be chosen.
    pub excluded: Option<String>,
    /// Where it stands by what decides.
    pub verdict: Option<Verdict>,
    /// In words, as every format shows it.
    #[serde(skip)]
    pub ratio_in_words: String,
    /// By what decides.
    pub ratio: Option<Figure>,
    /// The leader, or the rival that proves that it is slower.
    pub ratio_to: Option<String>,
    /// Requests a second within the objective.
    pub capacity: Option<Figure>,
    /// Why no capacity is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_capacity: Option<String>,
    /// The 99th percentile of the latency at the described rate.
    pub p99_ns: Option<Figure>,
    /// CPU time of a request.
    pub cpu_ns_per_request: Option<Figure>,
    /// Peak resident memory of a process.
    pub peak_memory_bytes: Option<Figure>,
    /// Most threads of a process at once.
    pub peak_threads: Option<u64>,
}

impl Decision {
    /// What is known of an option.
    pub fn option(&self, entry: &str) -> Option<&DecisionOption> {
        self.options.iter().find(|option| option.entry == entry)
    }
}

/// What becomes of the decision when one thing changes.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sensitivity {
    /// What is changed.
    pub change: Change,
    /// What that does.
    pub effect: Effect,
    /// The effect in a sentence.
    pub sentence: String,
}

/// What a change does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// What was chosen is among the best still.
    Holds,
    /// It is slower beyond doubt.
    Flips,
    /// The measurements do not tell.
    Unknown,
    /// It cannot be changed, or nothing was measured.
    None,
}

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

fn row<'a>(cases: &'a [CaseReport], id: &str, entry: &str) -> Option<&'a Row> {
    cases.iter().find(|case| case.id == id)?.rows.iter().find(|row| row.entry == entry)
}

fn numbers<'a>(cases: &'a [CaseReport], id: &str, entry: &str) -> Option<&'a Numbers> {
    row(cases, id, entry)?.numbers.as_ref()
}

/// The case that searches for the capacity.
fn capacity_case(service: &ServiceProfile) -> &'static str {
    if service.objective.optimise == Optimise::Throughput { DESCRIBED } else { CAPACITY }
}

/// Requests a second that an entry serves within the objective.
fn capacity(service: &ServiceProfile, cases: &[CaseReport], entry: &str) -> Option<Figure> {
    Some(numbers(cases, capacity_case(service), entry)?.operations_per_second)
}

/// Why an entry has no capacity.
fn no_capacity(
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
const BEYOND_DOUBT: f64 = 2.0;

/// Why an entry cannot be chosen whatever else it does, as the sentence says.
fn broken_limit(service: &ServiceProfile, cases: &[CaseReport], entry: &str) -> Option<String> {
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
fn by_default(service: &ServiceProfile, entry: &str) -> String {
    let strategy = strategy_of(entry);
    let reasons = [service.bounded_by_default(strategy), service.lengthened_by_timer(strategy)];
    reasons.into_iter().flatten().map(|reason| format!("; {reason}")).collect()
}

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
    let is_option = |entry: &&PlannedEntry| entry.strategy != "floor" && entry.has("traffic");
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

/// How the options of a case stand to each other.
struct Standing {
    /// The one that is ahead of all others.
    ahead: Option<String>,
    /// Best, tied, or alone.
    best: Vec<String>,
    /// Undecided.
    open: Vec<String>,
    /// Slower, with the ratio in words.
    slower: Vec<(String, String)>,
}

impl Standing {
    fn of(case: &CaseReport, entries: &[PlannedEntry]) -> Self {
        let mut standing =
            Standing { ahead: None, best: Vec::new(), open: Vec::new(), slower: Vec::new() };
        let eligible = |row: &&Row| {
            entries.iter().any(|entry| entry.id == row.entry && entry.excluded.is_none())
        };
        for row in case.rows.iter().filter(eligible) {
            let Some(numbers) = &row.numbers else { continue };
            if numbers.verdict == Some(Verdict::Best) {
                standing.ahead = Some(row.entry.clone());
            }
            match numbers.verdict {
                Some(Verdict::Best | Verdict::Tied | Verdict::Alone) => {
                    standing.best.push(row.entry.clone());
                }
                Some(Verdict::Undecided) => standing.open.push(row.entry.clone()),
                Some(Verdict::Slower) => {
                    standing.slower.push((row.entry.clone(), ratio(case, row, By::Metric)));
                }
                None => {}
            }
        }
        standing
    }

    fn outcome(&self, service: &ServiceProfile) -> (Outcome, Option<String>) {
        let preferred = service
            .preferences
            .order
            .iter()
            .find_map(|name| self.best.iter().find(|entry| strategy_of(entry) == name));
        match (&self.best[..], &self.open[..], preferred) {
            ([only], [], _) => (Outcome::Clear, Some(only.clone())),
            // Others may be less than the margin behind, but none is ahead of it.
            ([only], _, _) if self.ahead.as_ref() == Some(only) => {
                (Outcome::Clear, Some(only.clone()))
            }
            // Who is certified to be among the best stays there, whatever becomes of the others.
            ([_, ..], _, Some(preferred)) => (Outcome::ByPreference, Some(preferred.clone())),
            ([_, _, ..], [], None) => (Outcome::Tied, None),
            ([], [], _) => (Outcome::Nobody, None),
            _ => (Outcome::Undecided, None),
        }
    }

    /// What would tell.
    fn settles(&self, case: &CaseReport) -> String {
        let rounds = case
            .rows
            .iter()
            .filter(|row| self.open.contains(&row.entry))
            .filter_map(|row| row.numbers.as_ref()?.basis?.needs)
            .fold(0.0, f64::max);
        let rounds = rounds.ceil();
        let all: Vec<_> = self.best.iter().chain(&self.open).cloned().collect();
        let open = all.join(", ");
        if all.is_empty() {
            return "a run in which rounds count: a quieter machine, or more time (--time-budget 20m)".to_owned();
        }
        match rounds {
            needed if needed > 0.0 && needed <= 120.0 => format!(
                "about {needed:.0} rounds of {} would tell {open} apart (--described-only --rounds {needed:.0})",
                case.id
            ),
            // With one or two rounds nothing is known of the noise.
            0.0 => format!("more rounds would tell {open} apart (--time-budget 20m)"),
            _ => format!(
                "{open} are too close or too noisy here for any practical number of rounds: a quieter machine \
                 (--profile thorough) or a declared order of preference would settle it"
            ),
        }
    }
}

fn strategy_of(entry: &str) -> &str {
    entry.split('/').next().unwrap_or(entry)
}

fn by(service: &ServiceProfile) -> &'static str {
    match service.objective.optimise {
        Optimise::Throughput => "requests a second within the objective",
        Optimise::P99 => "p99 of the latency",
        Optimise::Cpu => "CPU time per request",
        Optimise::Memory => "memory",
    }
}

/// What decides nothing, in per cent.
fn margin() -> String {
    format!("{:.0} %", 100.0 * (ARCHITECTURE_MARGIN - 1.0))
}

fn summary(
    service: &ServiceProfile,
    standing: &Standing,
    outcome: Outcome,
    chosen: Option<&str>,
) -> String {
    let by = by(service);
    let slower: Vec<_> =
        standing.slower.iter().map(|(entry, ratio)| format!("{entry} {ratio}")).collect();
    let behind = match slower.is_empty() {
        true => String::new(),
        false => format!(" Behind it beyond doubt: {}.", slower.join(", ")),
    };
    let chosen = chosen.unwrap_or_default();
    match outcome {
        Outcome::Clear if standing.open.is_empty() => {
            format!("{chosen}: it is clear of all others by {by}.{behind}")
        }
        Outcome::Clear => format!(
            "{chosen}: it is ahead of all others by {by}; whether by more than {} of {} is not known.{behind}",
            margin(),
            standing.open.join(", ")
        ),
        Outcome::ByPreference => {
            let ties: Vec<_> =
                standing.best.iter().filter(|entry| *entry != chosen).cloned().collect();
            let others = if ties.is_empty() {
                "no other is certified to be better".to_owned()
            } else {
                format!("it ties with {}", ties.join(", "))
            };
            format!("{chosen}: by {by} {others}, and the declared order prefers it.{behind}")
        }
        Outcome::Tied => format!(
            "{} tie by {by}: any of them will do. Declare an order of preference to have one named.{behind}",
            standing.best.join(", ")
        ),
        Outcome::Undecided if standing.best.is_empty() && standing.open.is_empty() => {
            "Undecided: the service was not measured, as the evidence says.".to_owned()
        }
        Outcome::Undecided => {
            let mut names = standing.best.clone();
            names.extend(standing.open.iter().cloned());
            format!("Undecided between {} by {by}.{behind}", names.join(", "))
        }
        Outcome::Nobody => "No option is left: each is excluded or failed.".to_owned(),
    }
}

fn drivers(service: &ServiceProfile) -> Vec<String> {
    let ServiceProfile { objective, limits, preferences, load, .. } = service;
    let mut drivers = vec![
        format!(
            "99 of 100 requests are answered within {}",
            units::duration(objective.p99.as_nanos() as f64)
        ),
        format!("then, best by {}; less than {} apart is a tie", by(service), margin()),
    ];
    drivers.extend(load.rate.map(|rate| format!("{rate} requests a second have to be served")));
    drivers.extend(
        limits.memory_bytes.map(|most| format!("at most {} of memory", units::bytes(most as f64))),
    );
    drivers.extend(limits.threads.map(|most| format!("at most {most} threads")));
    if preferences.maintained_only {
        drivers.push("maintained runtimes only".to_owned());
    }
    if preferences.no_async {
        drivers.push("no async in the code base".to_owned());
    }
    if preferences.callable_from_sync {
        drivers.push("callable from synchronous code that owns its threads".to_owned());
    }
    if !preferences.order.is_empty() {
        drivers.push(format!("where measurements tie: {}", preferences.order.join(" before ")));
    }
    drivers
}

fn sensitivity(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entries: &[PlannedEntry],
    left_out: Option<&[LeftOut]>,
    chosen: Option<&str>,
    change: Change,
) -> Sensitivity {
    let with = change.in_words();
    let none = |sentence: String| Sensitivity { change, effect: Effect::None, sentence };
    let left_out = left_out.and_then(|all| all.iter().find(|out| out.case == change.id()));
    if let Some(LeftOut { reason, .. }) = left_out {
        return none(format!("With {with}: not measured: {reason}."));
    }
    let Some(case) = cases.iter().find(|case| case.id == change.id()) else {
        return none(match change.of(service) {
            None => format!("With {with}: not applicable, the service stays the same."),
            Some(_) => format!("With {with}: not measured (--described-only)."),
        });
    };
    if case.rows.iter().all(|row| row.numbers.is_none()) {
        return none(format!(
            "With {with}: not measured, for want of time (--time-budget 20m) or because all failed."
        ));
    }
    let standing = Standing::of(case, entries);
    let best = |standing: &Standing| match &standing.best[..] {
        [] => "none is certified best".to_owned(),
        best => format!("best: {}", best.join(", ")),
    };
    let Some(chosen) = chosen else {
        return none(format!("With {with}, {}.", best(&standing)));
    };
    let slower = standing.slower.iter().find(|(entry, _)| entry == chosen);
    let (effect, sentence) = if standing.best.iter().any(|entry| entry == chosen) {
        (Effect::Holds, format!("With {with} the decision holds ({}).", best(&standing)))
    } else if let Some((_, ratio)) = slower {
        (
            Effect::Flips,
            format!("With {with} it flips: {chosen} is {ratio} behind ({}).", best(&standing)),
        )
    } else {
        (
            Effect::Unknown,
            format!("With {with} the measurements do not tell ({}).", best(&standing)),
        )
    };
    Sensitivity { change, effect, sentence }
}

#[cfg(test)]
mod tests;
