//! `decision.md`: a decision record in the form of MADR 4.0 (<https://adr.github.io/madr/>), and the same as
//! data in `decision.json`.

use analysis::shown::Shown;
use record::models;
use std::fmt::Write;

use protocol::units;
use protocol::units::Scale;

use crate::markdown::{escape, table};
use crate::rounding;
use crate::text;
use crate::text::or_dash;
use analysis::Report;
use analysis::decide::{Decision, DecisionOption, Effect, Outcome};
use record::journal::to_json;

/// The record; `None` where nothing was to be decided.
pub(crate) fn render(report: &Report) -> Option<String> {
    let decision = report.decision.as_ref()?;
    let mut out = format!("# A concurrency model for {}\n\n", escape(&decision.service));
    let mut line = |text: &str| {
        let _ = writeln!(out, "{text}");
    };
    line("## Context and Problem Statement\n");
    for sentence in context(report) {
        line(&format!("- {}", escape(&sentence)));
    }
    line("\n## Decision Drivers\n");
    for driver in &decision.drivers {
        line(&format!("- {}", escape(driver)));
    }
    line("\n## Considered Options\n");
    for option in &decision.options {
        match &option.excluded {
            Some(reason) => {
                line(&format!("- {}, excluded: {}", escape(&option.entry), escape(reason)))
            }
            None => line(&format!("- {}", escape(&option.entry))),
        }
    }
    line("\n## Decision Outcome\n");
    line(&format!("**{}**", escape(&decision.summary)));
    if let Some(settles) = &decision.settles {
        line(&format!("\nWhat would settle it: {}.", escape(settles)));
    }
    line("\n### Consequences\n");
    for consequence in consequences(decision) {
        line(&format!("- {consequence}"));
    }
    line("\n### Confirmation\n");
    line(
        "Measure again with the profile before the decision is acted on, and when the service or the machine changes:\n",
    );
    line(&format!("```\n{}\n```", text::reproduction(report)));
    if let Some(by_hand) = by_hand(report, decision) {
        line(
            "\nOr by hand, for ten seconds: serve it in one terminal, and ask from another as the profile describes:\n",
        );
        line(&format!("```\n{by_hand}\n```"));
    }
    line("\n## Evidence\n");
    line(&evidence(decision));
    if let Some(reason) = no_capacity(decision) {
        line(&format!("No capacity is known: {}.\n", escape(reason)));
    }
    line(&format!("Measured: {}.", escape(&text::provenance(report))));
    for banner in text::banners(report) {
        line(&format!("\n> **{}**", escape(&banner)));
    }
    line("\n## What would reverse it\n");
    for change in &decision.sensitivity {
        line(&format!("- {}", escape(&change.sentence)));
    }
    for condition in standing_conditions(decision) {
        line(&format!("- {condition}"));
    }
    for reservation in &decision.reservations {
        line(&format!("- {}", escape(reservation)));
    }
    Some(out)
}

/// The commands with which one option is tried without the harness: the chosen one, or the first that may be.
fn by_hand(report: &Report, decision: &Decision) -> Option<String> {
    let service = report.service.as_ref()?;
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

/// The same as data.
pub(crate) fn data(report: &Report) -> Option<String> {
    rounding::rounded(report).decision.as_ref().map(to_json)
}

/// What is asked of the service.
pub(crate) fn context(report: &Report) -> Vec<String> {
    let Some(service) = &report.service else { return Vec::new() };
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

/// The numbers of each option, as a header and rows.
pub(crate) fn numbers(decision: &Decision) -> (Vec<String>, Vec<Vec<String>>) {
    let header =
        ["option", "verdict", "ratio", "capacity", "p99", "CPU per request", "memory", "threads"];
    let common = no_capacity(decision);
    let row = |option: &DecisionOption| {
        let verdict = match (&option.excluded, option.verdict) {
            (Some(_), _) => "excluded",
            (None, Some(verdict)) => verdict.word(),
            (None, None) => "no number",
        };
        vec![
            option.entry.clone(),
            verdict.to_owned(),
            option.ratio_in_words.clone(),
            match (option.capacity, &option.no_capacity) {
                (Some(rate), _) => rate.shown_with_interval(Scale::PerSecond),
                (None, Some(why)) if Some(why.as_str()) != common => format!("— ({why})"),
                (None, _) => "—".to_owned(),
            },
            or_dash(option.p99_ns, |ns| ns.shown_with_interval(Scale::Duration)),
            or_dash(option.cpu_ns_per_request, |ns| ns.shown_with_interval(Scale::Duration)),
            or_dash(option.peak_memory_bytes, |bytes| bytes.shown_with_interval(Scale::Bytes)),
            or_dash(option.peak_threads, |count| count.to_string()),
        ]
    };
    (header.map(str::to_owned).into(), decision.options.iter().map(row).collect())
}

/// Why no option has a capacity, where that is the same for all that can be chosen.
pub(crate) fn no_capacity(decision: &Decision) -> Option<&str> {
    let mut reasons = decision
        .options
        .iter()
        .filter(|option| option.excluded.is_none())
        .map(|option| option.no_capacity.as_deref());
    let first = reasons.next()??;
    reasons.all(|reason| reason == Some(first)).then_some(first)
}

fn evidence(decision: &Decision) -> String {
    let (header, rows) = numbers(decision);
    let rows = rows.into_iter().map(|row| row.iter().map(|cell| escape(cell)).collect());
    table(&header, rows)
}

/// What follows from the choice whatever was measured.
pub(crate) fn consequences(decision: &Decision) -> Vec<&'static str> {
    let Some(chosen) = &decision.chosen else {
        return vec!["Nothing is chosen yet."];
    };
    match models::find(chosen).map(|model| model.consequences) {
        Some(known) if !known.is_empty() => known.to_vec(),
        _ => vec!["Good, because it was the best of those that were measured."],
    }
}

/// What else the decision rests on.
fn standing_conditions(decision: &Decision) -> Vec<&'static str> {
    let mut conditions = vec![
        "Another machine: the cost of a wake-up across CPUs, the number of cores and the virtualisation decide such comparisons.",
        "Another description: shares, waits and computing are those of the profile, over the loopback interface and without encryption.",
    ];
    if decision.best.len() > 1 && decision.outcome != Outcome::Undecided {
        conditions.push("Another order of preference: the measurements tie.");
    }
    if decision.sensitivity.iter().any(|change| change.effect == Effect::Unknown) {
        conditions
            .push("A longer run: where the measurements do not tell, it may turn out either way.");
    }
    conditions
}
