//! How it was measured, and how to do it again.

use analysis::Report;

use crate::document::{Block, FILES, Kind, PAGE, Section, Table, paragraph};
use crate::text;

pub(super) fn section(report: &Report) -> Option<Section> {
    let facts = text::host(report).into_iter();
    let facts = facts.map(|(name, value)| vec![name.to_owned(), value]);
    let blocks = vec![
        paragraph("The same again, as far as the machine allows:"),
        Block::Code(text::reproduction(report)),
        Block::Table(Table::new("Host", [("", Kind::Words); 2], facts)),
        Block::Only(PAGE, sources(report)),
    ];
    let section = Section::new("host", "How it was measured", blocks);
    Some(Section { shown: FILES, ..section })
}

/// The code that belongs to no workload.
fn sources(report: &Report) -> Vec<Block> {
    let Some(sources) = &report.sources else {
        return vec![paragraph(
            "The code of these programs was not known to the run: they were not built by it.",
        )];
    };
    let heading = "Code that the workloads of a strategy share";
    let mut blocks = vec![Block::Heading(heading.into(), None)];
    blocks.extend(sources.strategies.iter().map(|(strategy, files)| {
        let shared = files.iter().filter(|(file, _)| !is_of_a_workload(file));
        let named = shared.map(|(file, text)| (format!("{strategy}: {file}"), text.clone()));
        Block::Sources(strategy.clone(), named.collect())
    }));
    blocks
}

fn is_of_a_workload(file: &str) -> bool {
    let module = file.trim_end_matches(".rs").replace('_', "-");
    ::workloads::find(&module).is_some()
}
