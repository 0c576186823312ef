//! Where one model takes over from another.

use analysis::Report;
use analysis::map::chart::{Chart, Known};

use crate::document::Kind::{Number, Words};
use crate::document::{Block, Figure, PAGE, Section, TEXT, Table, list, paragraph};
use crate::text;

pub(super) fn section(report: &Report) -> Option<Section> {
    let chart = report.map.as_ref()?;
    let mut blocks = vec![
        paragraph(format!("{}.", chart.effort())),
        list(&chart.crossovers),
        Block::Only(TEXT, vec![paragraph(format!("{}:", chart.axes()))]),
        Block::Figure(Figure::Map(Box::new(chart.clone()))),
    ];
    blocks.extend(
        chart.beyond_in_words().into_iter().map(|sentence| paragraph(format!("{sentence}."))),
    );
    let points = Block::Details("Point by point".to_owned(), vec![table(chart)]);
    blocks.push(Block::Only(PAGE, vec![points]));
    Some(Section::new("map", format!("A map of {}", chart.service), blocks))
}

fn table(chart: &Chart) -> Block {
    let (x, y) = (chart.x.quantity.title(), chart.y.quantity.title());
    let columns = [x, y, "best", "not known", "slower", "how it is known"];
    let columns = columns.into_iter().zip([Number, Number, Words, Words, Words, Words]);
    let listed = |entries: &[String]| entries.join(", ");
    let rows = chart.points.iter().filter(|mark| !matches!(mark.known, Known::Beyond(_)));
    let rows = rows.map(|mark| {
        let slower = mark.slower.iter().map(|slower| match slower.ratio {
            Some(ratio) => format!("{} {}", slower.entry, text::interval(ratio)),
            None => slower.entry.clone(),
        });
        let how = match mark.known {
            Known::Measured if mark.is_partly_measured() => {
                format!("measured; {} expected from the points around", listed(&mark.concluded))
            }
            Known::Measured => "measured".to_owned(),
            Known::Concluded => "expected from the points around".to_owned(),
            Known::Unknown | Known::Beyond(_) => "not measured".to_owned(),
        };
        vec![
            chart.x.shown()[mark.column].clone(),
            chart.y.shown()[mark.row].clone(),
            listed(&mark.best),
            listed(&mark.open),
            slower.collect::<Vec<_>>().join("; "),
            how,
        ]
    });
    Block::Table(Table::new("Point by point", columns, rows))
}
