//! What was decided about a service: the section of the report, and `decision.md`, a decision record in the form of
//! MADR 4.0 (<https://adr.github.io/madr/>).

use analysis::Report;
use analysis::decide::{Decision, DecisionOption};
use analysis::decision_record;
use analysis::shown::Shown;
use protocol::units::Scale;

use crate::document::Kind::{Number, Words};
use crate::document::{
    Block, Document, Medium, PAGE, Section, TERMINAL, Table, Text, list, paragraph,
};
use crate::text::{self, or_dash};

pub(super) fn section(report: &Report) -> Option<Section> {
    let decision = report.decision.as_ref()?;
    let heading = format!("What is asked of {}", decision.service);
    let mut blocks = Vec::from_iter(settles(decision));
    blocks.push(Block::Only(
        PAGE,
        vec![
            Block::Heading(heading.into(), None),
            list(asked(report).chain(decision.drivers.clone())),
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
            list(decision.consequences()),
            Block::Heading("What would reverse it".into(), None),
        ],
    ));
    blocks.push(list(changes(decision).chain(reservations(decision))));
    blocks.push(Block::Only(TERMINAL, vec![paragraph("decision.md has the record")]));
    let section =
        Section::new("decision", title(decision), blocks).lead(Text::strong(&decision.summary));
    Some(Section { shown: &[Medium::Terminal, Medium::Page], ..section })
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
        list(decision.consequences()),
        Block::Heading("Confirmation".into(), Some(again.into())),
        Block::Code(text::reproduction(report)),
    ]);
    if let Some(commands) = decision_record::by_hand(report) {
        let how = "Or by hand, for ten seconds: serve it in one terminal, and ask from another as the profile \
                   describes:";
        outcome.extend([paragraph(how), Block::Code(commands)]);
    }
    let mut evidence = Vec::from_iter(options(decision));
    evidence.push(paragraph(format!("Measured: {}.", text::provenance(report))));
    evidence.extend(text::banners(report).into_iter().map(Block::Banner));
    let conditions = decision.standing_conditions().into_iter().map(Text::from);
    let reversals = changes(decision).chain(conditions).chain(reservations(decision));
    let sections = [
        ("Context and Problem Statement", vec![list(asked(report))]),
        ("Decision Drivers", vec![list(&decision.drivers)]),
        ("Considered Options", vec![list(considered)]),
        ("Decision Outcome", outcome),
        ("Evidence", evidence),
        ("What would reverse it", vec![list(reversals)]),
    ];
    let sections = sections.map(|(title, blocks)| Section::new("", title, blocks)).into();
    Some(Document { title: title(decision), head: Vec::new(), sections })
}

fn asked(report: &Report) -> impl Iterator<Item = String> {
    report.service.iter().flat_map(decision_record::context)
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
    let common = decision.no_capacity();
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
    let columns =
        ["option", "verdict", "ratio", "capacity", "p99", "CPU per request", "memory", "threads"];
    let kinds = [Words, Words, Words, Words, Number, Number, Number, Number];
    let columns = columns.into_iter().zip(kinds);
    let table = Block::Table(Table::new("Options", columns, decision.options.iter().map(row)));
    let unknown = common.map(|reason| paragraph(format!("No capacity is known: {reason}.")));
    [table].into_iter().chain(unknown)
}
