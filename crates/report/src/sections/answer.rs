//! The answer at a glance: workload × strategy, coloured by the ratio to the best.

use analysis::Report;
use analysis::case::{CaseReport, Row};
use analysis::suits::CLASSES;
use analysis::text::By;
use judge::Verdict;
use record::models;

use crate::document::{Block, Cell, Group, Kind, Section, Table, Tone, paragraph};
use crate::text;

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut blocks = vec![matrix(report, By::Metric, "Workload by strategy"), key(report)];
    blocks.extend(text::discontinued(report).map(paragraph));
    Some(Section::new("answer", "The answer", blocks))
}

/// A cell for each case and contestant.
pub(super) fn matrix(report: &Report, by: By, caption: &str) -> Block {
    let columns = std::iter::once(("workload", Kind::Id));
    let columns = columns.chain(report.contestants().map(|entry| (entry, Kind::Verdict)));
    let rows = report.cases.iter().map(|case| {
        let name = Cell { link: Some(Group::Case(case.id.clone()).anchor()), ..(&case.id).into() };
        let cells = report.contestants().map(|entry| cell(case, entry, by));
        std::iter::once(name).chain(cells).collect()
    });
    let mut table = Table::new(caption, columns, rows);
    for column in &mut table.columns {
        let why = models::find(&column.name).and_then(|model| model.discontinued);
        column.flag = why.map(|why| ("discontinued", why));
    }
    let cases = || report.cases.iter().enumerate();
    let of = |class| cases().filter(|(_, case)| case.class == class).map(|(row, _)| row).collect();
    table.groups = CLASSES.map(|(class, _)| (class.to_string(), of(class))).into();
    Block::Table(table)
}

fn cell(case: &CaseReport, entry: &str, by: By) -> Cell {
    let text = text::matrix_cell(case, entry, by);
    let Some(row) = case.rows.iter().find(|row| row.entry == entry) else { return text.into() };
    let ratio = row.numbers.as_ref().and_then(|numbers| by.of(numbers).1);
    Cell {
        sort: ratio.map(|ratio| ratio.estimate),
        tone: Tone::of(row, by),
        title: title(case, row, by),
        ..text.into()
    }
}

/// What a cell is short for.
fn title(case: &CaseReport, row: &Row, by: By) -> Option<String> {
    if let Some(failure) = &row.failure {
        return Some(failure.reason.clone());
    }
    let (verdict, ratio, _) = by.of(row.numbers.as_ref()?);
    ratio?;
    let slower = match verdict {
        Some(Verdict::Slower) => format!("; {}", text::slower_than(row, by)),
        _ => String::new(),
    };
    Some(format!("{}: {}{slower}", row.entry, text::ratio(case, row, by)))
}

fn key(report: &Report) -> Block {
    let owned = |(tone, meaning): (Tone, &str)| (tone, meaning.to_owned());
    let tied = format!("tied: {}", text::tied(report));
    let meanings = [
        (Tone::Best, "best: clear of all others"),
        (Tone::Tied, &tied),
        (
            Tone::Slower(1.0),
            "≥: slower than another by so much at least, though not for certain than the leader",
        ),
        (Tone::Undecided, "?: undecided, the interval is in the report"),
        (Tone::Alone, "alone: no other fair form"),
        (Tone::Misuse, "misuse: a known mistake and its price"),
        (
            Tone::None,
            "—: the model has no form of it, or the machine does not allow it; empty: it does not take part",
        ),
    ];
    let colours = [
        (Tone::Slower(1.0), "slower, below 1.1×"),
        (Tone::Slower(1.1), "below 1.5×"),
        (Tone::Slower(1.5), "below 3×"),
        (Tone::Slower(3.0), "below 10×"),
        (Tone::Slower(10.0), "10× and more"),
        (Tone::Failed, "failed, with the kind of failure"),
    ];
    Block::Key {
        lead: "Ratio to the leader of each row by its metric.".to_owned(),
        meanings: meanings.map(owned).into(),
        colours: colours.map(owned).into(),
    }
}
