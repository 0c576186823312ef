//! The same cases by what an answer costs.

use analysis::Report;
use analysis::text::By;

use crate::document::{FILES, Section};
use crate::sections::answer::matrix;

pub(super) fn section(report: &Report) -> Option<Section> {
    let matrix = matrix(report, By::CpuTime, "Workload by strategy, by CPU time");
    let section = Section::new("by-cpu", "By CPU time", vec![matrix]).lead(
        "Ratio of the CPU time per operation to the smallest of each row, judged like the metric: what an answer \
         costs, however long it takes.",
    );
    Some(Section { shown: FILES, ..section })
}
