//! A decision in words.

use judge::ARCHITECTURE_MARGIN;
use protocol::units;
use record::service::{Optimise, ServiceProfile};

use crate::decide::decision::Outcome;
use crate::decide::standing::Standing;

pub(super) fn by(service: &ServiceProfile) -> &'static str {
    match service.objective.optimise {
        Optimise::Throughput => "requests a second within the objective",
        Optimise::P99 => "p99 of the latency",
        Optimise::Cpu => "CPU time per request",
        Optimise::Memory => "memory",
    }
}

/// What decides nothing, in per cent.
pub(super) fn margin() -> String {
    format!("{:.0} %", 100.0 * (ARCHITECTURE_MARGIN - 1.0))
}

pub(super) fn summary(
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

pub(super) fn drivers(service: &ServiceProfile) -> Vec<String> {
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
