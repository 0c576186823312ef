//! The experiment that the comparison grew out of: what was predicted beside what came out.

use analysis::Report;
use analysis::shown::Shown;
use protocol::units::{self, Scale};

use crate::document::Kind::{Number, Words};
use crate::document::{Block, Dot, Dots, FILES, Figure, Section, Table};
use crate::text;

const LEAD: &str = "A hundred requests arrive at once, and each handler has to wait a fixed time d. Handler a waits \
    with a blocking call in place, b hands that call to the pool for blocking calls, c awaits a timer, and d is a \
    plain function in a pool of 40 threads. How many requests wait together decides how long the hundred take, and \
    that can be predicted: 100·d where one handler blocks the only event loop (100·d ÷ W with W workers), d where all \
    overlap, ⌈100/40⌉·d in the pool. With d = 1 s these are the 100 s, 1 s, 1 s and 3 s of the well-known experiment.";

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut dots = Vec::new();
    let mut rows = Vec::new();
    for (case, row) in report.rows().filter(|(case, _)| case.workload == "endpoints") {
        let handler = case.id.trim_start_matches("endpoints/");
        if let Some(numbers) = &row.numbers
            && let Some((predicted, ratio)) = numbers.predicted_ns.zip(numbers.over_prediction())
        {
            dots.push(Dot {
                name: format!("{handler} {}", row.entry),
                predicted: Some(predicted as f64),
                ..Dot::of(row, numbers.wall_ns)
            });
            rows.push(vec![
                handler.to_owned(),
                text::name(row),
                units::duration(predicted as f64),
                numbers.wall_ns.shown_with_interval(Scale::Duration),
                ratio.shown(Scale::Ratio),
                row.form.clone().unwrap_or_default(),
            ]);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let figure = Dots {
        caption: "Time of a hundred requests at once: predicted (ring) and measured (mark)"
            .to_owned(),
        scale: Scale::Duration,
        logarithmic: true,
        rows: dots,
        limit: None,
    };
    let columns = ["handler", "entry", "predicted", "measured", "measured ÷ predicted", "how"];
    let columns = columns.into_iter().zip([Words, Words, Number, Number, Number, Words]);
    let table = Table::new("Four handlers: predicted and measured", columns, rows);
    let blocks = vec![Block::Figure(Figure::Dots(figure)), Block::Table(table)];
    let section = Section::new("endpoints", "Four handlers and a hundred requests", blocks);
    Some(Section { shown: FILES, ..section.lead(LEAD) })
}
