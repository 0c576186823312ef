//! What known mistakes cost.

use analysis::Report;
use analysis::misuses::{self, Line};
use protocol::units::Scale;

use crate::document::Kind::{Id, Words};
use crate::document::{Block, Dot, Dots, FILES, Figure, Mark, Section, TERMINAL, Table, list};

pub(super) fn section(report: &Report) -> Option<Section> {
    let lines = misuses::lines(report);
    if lines.is_empty() {
        return None;
    }
    let priced = lines.iter().filter_map(|line| Some((line, line.ratio?)));
    let figure = Dots {
        caption: "How many times as much as the fair form".to_owned(),
        scale: Scale::Ratio,
        logarithmic: true,
        rows: priced
            .map(|(line, value)| Dot {
                name: format!("{} {}", line.entry.trim_end_matches("/misuse"), line.case),
                mark: Mark { entry: line.entry.clone(), hollow: true },
                ..Dot::named(&line.entry, value)
            })
            .collect(),
        limit: Some((1.0, "fair form")),
    };
    let brief =
        |Line { form, case, entry, price, .. }: &Line| format!("{entry}, {case}: {price}: {form}");
    let brief = list(lines.iter().map(brief));
    let kinds = [Words, Id, Words, Words];
    let columns = ["entry", "case", "price", "mistake"].into_iter().zip(kinds);
    let rows = lines.into_iter().map(|line| vec![line.entry, line.case, line.price, line.form]);
    let table = Table::new("What mistakes cost", columns, rows);
    let blocks = vec![
        Block::Figure(Figure::Dots(figure)),
        Block::Only(TERMINAL, vec![brief]),
        Block::Only(FILES, vec![Block::Table(table)]),
    ];
    Some(Section::new("mistakes", "What mistakes cost", blocks).lead(misuses::INTRODUCTION))
}
