//! Findings that rest on the cost of a wake-up across CPUs.

use analysis::{Report, wakeups};

use crate::document::{Section, list};

pub(super) fn section(report: &Report) -> Option<Section> {
    let section =
        Section::new("wakeups", "What rests on waking up across CPUs", vec![list(&report.wakeups)]);
    (!report.wakeups.is_empty()).then(|| section.lead(wakeups::INTRODUCTION))
}
