//! `comparison.csv`: one line per case and entry, numbers without units.

use analysis::Report;
use analysis::case::{CaseReport, Numbers, Row};
use judge::Figure;
use protocol::clean;
use serde_json::{Value, json};

use crate::rounding;

/// The whole report.
///
/// # Errors
/// Never in practice: it writes to memory.
pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let report = &rounding::rounded(report);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (index, (case, row)) in report.rows().enumerate() {
        let (names, values): (Vec<_>, Vec<_>) = fields(case, row).into_iter().unzip();
        if index == 0 {
            writer.write_record(names)?;
        }
        writer.serialize(values)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Text that a spreadsheet takes for text: one that begins like a formula would be carried out (OWASP, CSV
/// Injection).
fn cell(text: &str) -> String {
    let text = clean(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

/// The columns with what they hold; nothing for `null`.
fn fields(case: &CaseReport, row: &Row) -> Vec<(&'static str, Value)> {
    let numbers = row.numbers.as_ref();
    let figure = |of: fn(&Numbers) -> Option<Figure>| numbers.and_then(of);
    let estimate = |of| json!(figure(of).map(|figure| figure.estimate));
    let low = |of| json!(figure(of).and_then(|figure| figure.low));
    let high = |of| json!(figure(of).and_then(|figure| figure.high));
    let count = |of: fn(&Numbers) -> Option<u64>| json!(numbers.and_then(of));
    let text = |of: fn(&Numbers) -> Option<&String>| json!(numbers.and_then(of).map(|t| cell(t)));
    let failure = row.failure.as_ref();
    let outcome = match (failure, numbers) {
        (Some(_), _) => "failed",
        (None, Some(_)) => "measured",
        (None, None) => "missing",
    };
    let reason = failure.map(|failure| &failure.reason).or(row.missing.as_ref());
    vec![
        ("case", json!(cell(&case.id))),
        ("workload", json!(cell(&case.workload))),
        ("entry", json!(cell(&row.entry))),
        ("strategy", json!(cell(&row.strategy))),
        ("variant", json!(cell(&row.variant))),
        ("standing", json!(row.standing)),
        ("outcome", json!(outcome)),
        ("failure", json!(failure.map(|failure| failure.kind))),
        ("reason", json!(reason.map(|reason| cell(reason)))),
        ("metric", json!(case.metric.to_string())),
        ("value", estimate(|n| Some(n.value))),
        ("value_low", low(|n| Some(n.value))),
        ("value_high", high(|n| Some(n.value))),
        ("verdict", json!(numbers.and_then(|n| n.verdict))),
        ("ratio", estimate(|n| n.ratio)),
        ("ratio_low", low(|n| n.ratio)),
        ("ratio_high", high(|n| n.ratio)),
        ("ratio_to", text(|n| n.ratio_to.as_ref())),
        ("limit_share", estimate(|n| n.limit_share)),
        ("limit_share_low", low(|n| n.limit_share)),
        ("limit_share_high", high(|n| n.limit_share)),
        ("wall_ns", estimate(|n| Some(n.wall_ns))),
        ("operations", json!(case.operations)),
        ("operations_per_second", estimate(|n| Some(n.operations_per_second))),
        ("cpu_ns_per_operation", estimate(|n| n.cpu_ns_per_operation)),
        ("cpu_verdict", json!(numbers.and_then(|n| n.cpu_verdict))),
        ("cpu_ratio", estimate(|n| n.cpu_ratio)),
        ("cpu_ratio_low", low(|n| n.cpu_ratio)),
        ("cpu_ratio_high", high(|n| n.cpu_ratio)),
        ("cpu_ratio_to", text(|n| n.cpu_ratio_to.as_ref())),
        ("switches_per_operation", estimate(|n| n.switches_per_operation)),
        ("peak_memory_bytes", estimate(|n| n.peak_memory_bytes)),
        ("peak_threads", count(|n| n.peak_threads)),
        ("worker_threads", count(|n| n.worker_threads)),
        ("latency_p50_ns", estimate(|n| n.latency_p50_ns)),
        ("latency_p99_ns", estimate(|n| n.latency_p99_ns)),
        ("predicted_ns", count(|n| n.predicted_ns)),
        ("send_lag_p99_ns", count(|n| n.send_lag_p99_ns)),
        ("still_running", count(|n| n.still_running)),
        ("price", estimate(|n| n.price.as_ref()?.ratio)),
        ("price_against", text(|n| Some(&n.price.as_ref()?.against))),
        ("rounds", json!(numbers.map(|n| n.rounds))),
        ("samples", json!(numbers.map(|n| n.samples))),
    ]
}
