//! What was decided about a service: the section of the report, and `decision.md`, a decision record in the form of
//! MADR 4.0 (<https://adr.github.io/madr/>).

use analysis::Report;
use analysis::decide::{Decision, DecisionOption, Effect, Outcome};
use analysis::shown::Shown;
use protocol::units;
use protocol::units::Scale;
use record::models;

use crate::document::{
    Block, Document, Kind, PAGE, Section, TERMINAL, TERMINAL_AND_PAGE, Table, Text, list, paragraph,
};
use crate::text;
use crate::text::or_dash;

pub(super) fn section(report: &Report) -> Option<Section> {
    let decision = report.decision.as_ref()?;
    let asked = format!("What is asked of {}", decision.service);
    let mut blocks = Vec::from_iter(settles(decision));
    blocks.push(Block::Only(
        PAGE,
        vec![
            Block::Heading(asked.into(), None),
            list(context(report).iter().chain(&decision.drivers)),
            Block::Heading("Options".into(), None),
        ],
    ));
    blocks.extend(options(decision));
    blocks.push(list(decision.options.iter().filter_map(|option| {
        let reason = option.excluded.as_ref()?;
        Some(Text::strong(&option.entry).plain(format!(" is excluded: {reason}")))
    })));
    blocks.push(Block::Only(
        PAGE,
        vec![
            Block::Heading("Consequences".into(), None),
            list(consequences(decision)),
            Block::Heading("What would reverse it".into(), None),
        ],
    ));
    blocks.push(list(changes(decision).chain(reservations(decision))));
    blocks.push(Block::Only(TERMINAL, vec![paragraph("decision.md has the record")]));
    let section = Section::new("decision", title(decision), blocks).lead(Text::strong(&decision.summary));
    Some(Section { shown: TERMINAL_AND_PAGE, ..section })
}

/// The record; `None` where nothing was to be decided.
pub(crate) fn record(report: &Report) -> Option<Document> {
    let decision = report.decision.as_ref()?;
    let considered = decision.options.iter().map(|option| match &option.excluded {
        Some(reason) => format!("{}, excluded: {reason}", option.entry),
        None => option.entry.clone(),
    });
    let mut outcome = vec![Block::Paragraph(Text::strong(&decision.summary))];
    outcome.extend(settles(decision));
    let again = "Measure again with the profile before the decision is acted on, and when the service or the machine \
                 changes:";
    outcome.extend([
        Block::Heading("Consequences".into(), None),
        list(consequences(decision)),
        Block::Heading("Confirmation".into(), Some(again.into())),
        Block::Code(text::reproduction(report)),
    ]);
    if let Some(commands) = by_hand(report, decision) {
        let how = "Or by hand, for ten seconds: serve it in one terminal, and ask from another as the profile \
                   describes:";
        outcome.extend([paragraph(how), Block::Code(commands)]);
    }
    let mut evidence = Vec::from_iter(options(decision));
    evidence.push(paragraph(format!("Measured: {}.", text::provenance(report))));
    evidence.extend(text::banners(report).into_iter().map(Block::Banner));
    let conditions = standing_conditions(decision).into_iter().map(Text::from);
    let reversals = changes(decision).chain(conditions).chain(reservations(decision));
    let sections = [
        ("Context and Problem Statement", vec![list(context(report))]),
        ("Decision Drivers", vec![list(&decision.drivers)]),
        ("Considered Options", vec![list(considered)]),
        ("Decision Outcome", outcome),
        ("Evidence", evidence),
        ("What would reverse it", vec![list(reversals)]),
    ];
    let sections = sections.map(|(title, blocks)| Section::new("", title, blocks)).into();
    Some(Document { title: title(decision), head: Vec::new(), sections })
}

fn title(decision: &Decision) -> String {
    format!("A concurrency model for {}", decision.service)
}

fn settles(decision: &Decision) -> Option<Block> {
    let settles = decision.settles.as_ref()?;
    Some(paragraph(format!("What would settle it: {settles}.")))
}

fn changes(decision: &Decision) -> impl Iterator<Item = Text> {
    decision.sensitivity.iter().map(|change| (&change.sentence).into())
}

fn reservations(decision: &Decision) -> impl Iterator<Item = Text> {
    decision.reservations.iter().map(Text::from)
}

/// The numbers of each option.
fn options(decision: &Decision) -> impl Iterator<Item = Block> {
    let common = no_capacity(decision);
    let capacity = |option: &DecisionOption| match (option.capacity, &option.no_capacity) {
        (Some(rate), _) => rate.shown_with_interval(Scale::PerSecond),
        (None, Some(why)) if Some(why.as_str()) != common => format!("— ({why})"),
        (None, _) => "—".to_owned(),
    };
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
            capacity(option),
            or_dash(option.p99_ns, |ns| ns.shown_with_interval(Scale::Duration)),
            or_dash(option.cpu_ns_per_request, |ns| ns.shown_with_interval(Scale::Duration)),
            or_dash(option.peak_memory_bytes, |bytes| bytes.shown_with_interval(Scale::Bytes)),
            or_dash(option.peak_threads, |count| count.to_string()),
        ]
    };
    let columns = [
        ("option", Kind::Words),
        ("verdict", Kind::Words),
        ("ratio", Kind::Words),
        ("capacity", Kind::Words),
        ("p99", Kind::Number),
        ("CPU per request", Kind::Number),
        ("memory", Kind::Number),
        ("threads", Kind::Number),
    ];
    let table = Block::Table(Table::new("Options", columns, decision.options.iter().map(row)));
    let unknown = common.map(|reason| paragraph(format!("No capacity is known: {reason}.")));
    [table].into_iter().chain(unknown)
}

/// Why no option has a capacity, where that is the same for all that can be chosen.
fn no_capacity(decision: &Decision) -> Option<&str> {
    let mut reasons = decision
        .options
        .iter()
        .filter(|option| option.excluded.is_none())
        .map(|option| option.no_capacity.as_deref());
    let first = reasons.next()??;
    reasons.all(|reason| reason == Some(first)).then_some(first)
}

/// What is asked of the service.
fn context(report: &Report) -> Vec<String> {
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

/// What follows from the choice whatever was measured.
fn consequences(decision: &Decision) -> Vec<&'static str> {
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
