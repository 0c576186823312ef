//! Which model suits which class of work.

use analysis::Report;

use crate::document::{Block, Section, Text, list};

pub(super) fn section(report: &Report) -> Option<Section> {
    let of_class = |suits: &analysis::suits::Suits| {
        let label = Text::strong(&suits.title).plain(format!(" ({})", suits.class));
        [Block::Label(label), list(&suits.sentences)]
    };
    let blocks: Vec<_> = report.suits.iter().flat_map(of_class).collect();
    let section = Section::new("suits", "What suits what", blocks)
        .lead("The verdicts of all cases of a class of work.");
    (!report.suits.is_empty()).then_some(section)
}
