//! `summary.json`: the report as data.

use super::model::Report;
use crate::journal::to_json;

/// The whole report.
pub(crate) fn render(report: &Report) -> String {
    to_json(report)
}
