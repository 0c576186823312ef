//! Workload by workload: curves over a parameter, the cases, and the code of every implementation.

use analysis::Report;
use analysis::curves::{Curves, Line};

use crate::document::{self, Block, Curve, Figure, Group, Kind, Mark, PAGE, Section, Table, Text};
use crate::sections::case;

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut names: Vec<&str> = Vec::new();
    for case in &report.cases {
        if !names.contains(&case.workload.as_str()) {
            names.push(&case.workload);
        }
    }
    let blocks = names.into_iter().map(|name| workload(report, name)).collect();
    let section = Section::new("workloads", "Workload by workload", blocks);
    Some(Section { titled: PAGE, ..section })
}

fn workload(report: &Report, name: &str) -> Block {
    let mut blocks = Vec::new();
    let cases: Vec<_> = report.cases.iter().filter(|case| case.workload == name).collect();
    if let Some(first) = cases.first() {
        let (class, operation) = (first.class, &first.operation);
        let meta = format!("Class {class}; one operation is: {operation}.");
        let question = Text(vec![document::Span::Emphasis(first.question.clone())]);
        blocks.push(Block::Only(PAGE, vec![Block::Meta(question), Block::Meta(meta.into())]));
    }
    blocks.extend(report.curves.iter().filter(|c| c.workload == name).flat_map(curves));
    blocks.extend(cases.into_iter().map(case::block));
    if let Some(sources) = &report.sources {
        let files = sources.strategies.keys().filter_map(|strategy| {
            let (file, text) = sources.of_workload(strategy, name)?;
            Some((format!("{strategy}: {file}"), text.to_owned()))
        });
        let summary = format!("The code of each implementation of {name}");
        blocks.push(Block::Only(PAGE, vec![Block::Sources(summary, files.collect())]));
    }
    Block::Group(Group::Workload(name.to_owned()), blocks)
}

/// A workload's curves over one parameter, with their numbers.
fn curves(of: &Curves) -> [Block; 3] {
    let last = of.at.len().saturating_sub(1).max(1) as f64;
    let at = |index: usize| 0.04 + 0.92 * index as f64 / last;
    let points = |line: &Line| {
        let points = line.points.iter().enumerate();
        points.filter_map(|(i, point)| Some((at(i), point.as_ref()?.value))).collect()
    };
    let figure = document::Curves {
        caption: of.title.clone(),
        scale: of.scale,
        across: of.parameter.clone(),
        names: of.at.iter().enumerate().map(|(i, name)| (at(i), name.clone())).collect(),
        lines: of
            .lines
            .iter()
            .map(|line| Curve { mark: Mark::named(&line.entry), points: points(line) })
            .collect(),
    };
    let kinds = std::iter::once(Kind::Words).chain(std::iter::repeat(Kind::Number));
    let columns = of.header().into_iter().zip(kinds);
    let table = Table::new(&of.title, columns, of.lines.iter().map(Line::cells));
    [
        Block::Heading((&of.title).into(), Some((&of.explanation).into())),
        Block::Figure(Figure::Curves(figure)),
        Block::Table(table),
    ]
}
