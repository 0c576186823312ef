//! What a report says, a file for each section. To add one, write its file and put it into the list.

use analysis::Report;
use protocol::clean;

use crate::document::{Block, Document, Section, paragraph};
use crate::text;

mod answer;
mod by_cpu;
mod case;
pub(crate) mod decision;
mod endpoints;
mod host;
mod map;
mod mistakes;
mod suits;
mod wakeups;
mod workloads;

/// A section; `None` where the report has nothing of the kind.
type Make = fn(&Report) -> Option<Section>;

/// All sections in their order.
const SECTIONS: [Make; 10] = [
    decision::section,
    map::section,
    answer::section,
    suits::section,
    by_cpu::section,
    wakeups::section,
    endpoints::section,
    mistakes::section,
    workloads::section,
    host::section,
];

/// What the report says.
pub(crate) fn document(report: &Report) -> Document {
    let names: Vec<_> = report.runs.iter().map(|name| clean(name)).collect();
    let mut head: Vec<_> = text::banners(report).into_iter().map(Block::Banner).collect();
    head.push(paragraph(format!("{}.", text::provenance(report))));
    head.extend(text::calibration(report).map(paragraph));
    head.push(paragraph(format!("{}.", report.noise.summary())));
    let share = 100.0 * report.measured_share;
    head.push(paragraph(format!(
        "{share:.0} % of the time of all visits was measured or warm-up."
    )));
    Document {
        title: format!("Comparison {}", names.join(" + ")),
        head,
        sections: SECTIONS.iter().filter_map(|section| section(report)).collect(),
    }
}

/// The answer and what suits what, without titles: for other pages to show.
pub(crate) fn overview(report: &Report) -> Vec<Section> {
    let measured = paragraph(format!("Measured: {}.", text::provenance(report)));
    let measured = Section::new("measured", "", vec![measured]);
    let sections = [answer::section(report), suits::section(report), Some(measured)];
    sections.into_iter().flatten().map(|section| Section { titled: &[], ..section }).collect()
}
