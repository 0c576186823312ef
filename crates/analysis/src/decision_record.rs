//! What a decision record says beside the measurements.

use protocol::units;
use record::models;
use record::service::ServiceProfile;

use crate::decide::{Decision, Effect, Outcome};
use crate::findings::Report;

impl Decision {
    /// Why no option has a capacity, where that is the same for all that can be chosen.
    pub fn no_capacity(&self) -> Option<&str> {
        let mut reasons = self
            .options
            .iter()
            .filter(|option| option.excluded.is_none())
            .map(|option| option.no_capacity.as_deref());
        let first = reasons.next()??;
        reasons.all(|reason| reason == Some(first)).then_some(first)
    }

    /// What follows from the choice whatever was measured.
    pub fn consequences(&self) -> Vec<&'static str> {
        let Some(chosen) = &self.chosen else {
            return vec!["Nothing is chosen yet."];
        };
        match models::find(chosen).map(|model| model.consequences) {
            Some(known) if !known.is_empty() => known.to_vec(),
            _ => vec!["Good, because it was the best of those that were measured."],
        }
    }

    /// What else the decision rests on.
    pub fn standing_conditions(&self) -> Vec<&'static str> {
        let mut conditions = vec![
            "Another machine: the cost of a wake-up across CPUs, the number of cores and the virtualisation decide such comparisons.",
            "Another description: shares, waits and computing are those of the profile, over the loopback interface and without encryption.",
        ];
        if self.best.len() > 1 && self.outcome != Outcome::Undecided {
            conditions.push("Another order of preference: the measurements tie.");
        }
        if self.sensitivity.iter().any(|change| change.effect == Effect::Unknown) {
            conditions.push(
                "A longer run: where the measurements do not tell, it may turn out either way.",
            );
        }
        conditions
    }
}

/// What is asked of the service, a line for its load and one for each class of requests.
pub fn context(service: &ServiceProfile) -> Vec<String> {
    let ns = |time: std::time::Duration| units::duration(time.as_nanos() as f64);
    let rate = service.load.rate.map_or_else(
        || "as many requests a second as it serves in time".to_owned(),
        |rate| format!("{rate} requests a second, whatever the server does"),
    );
    let mut context = vec![format!("{} connections, {rate}", service.load.connections)];
    context.extend(service.classes.iter().map(|class| {
        let wait = match (class.wait.is_zero(), class.blocking) {
            (true, _) => "no wait".to_owned(),
            (false, true) => format!("a blocking call of {}", ns(class.wait)),
            (false, false) => format!("a wait of {}", ns(class.wait)),
        };
        format!(
            "{}: {} of the requests, {wait}, {} of computing, an answer of {}",
            class.name,
            units::percent(f64::from(class.per_mille) / 1_000.0),
            ns(class.cpu),
            units::bytes(class.payload_bytes as f64)
        )
    }));
    context
}

/// The commands with which one option is tried without the harness: the chosen one, or the first that
/// may be. `None` where there is none, or nothing to decide.
pub fn by_hand(report: &Report) -> Option<String> {
    let (service, decision) = (report.service.as_ref()?, report.decision.as_ref()?);
    let entry = decision.chosen.as_ref().or(decision.best.first())?;
    let (strategy, variant) = entry.split_once('/').unwrap_or((entry, ""));
    let variant = if variant.is_empty() { String::new() } else { format!(" --variant {variant}") };
    let rate = match (service.load.rate, decision.option(entry)?.capacity) {
        (None, Some(capacity)) => format!(" --rate {:.1}", 0.9 * capacity.estimate),
        _ => String::new(),
    };
    let (workers, connections) = (report.workers, service.load.connections);
    let classes = service.traffic_classes().ok()?;
    Some(format!(
        "cargo run --release -p strategy-{strategy} -- serve traffic --listen 127.0.0.1:7007 --workers {workers}{variant} \
         --param connections={connections} --param 'classes={classes}'\n\
         cargo run --release -- load --service PROFILE.toml --target 127.0.0.1:7007 --duration 10s{rate}"
    ))
}
