//! Where one model takes over from another, along two axes of a service.

pub mod chart;
pub mod refine;
pub mod words;

use record::Plan;

use crate::case::CaseReport;
use chart::Chart;

/// The map of a plan with what was measured and the sentences about its borders; none where no map was asked for.
/// Visits took `spent_ns` nanoseconds in all.
pub fn of(plan: &Plan, cases: &[CaseReport], spent_ns: u64) -> Option<Chart> {
    let mut chart = Chart::of(plan, cases, spent_ns)?;
    chart.crossovers = words::crossovers(&chart);
    Some(chart)
}
