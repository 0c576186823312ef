//! `comparison.csv`: one line per case and entry, numbers without units.

use protocol::FailureKind;
use protocol::Standing;
use serde::Serialize;

use crate::rounding;
use analysis::Report;
use analysis::case::{Numbers, Row};
use judge::Figure;
use judge::Verdict;
use protocol::clean;

#[derive(Debug, Serialize)]
struct Line {
    case: String,
    workload: String,
    entry: String,
    strategy: String,
    variant: String,
    standing: Option<Standing>,
    outcome: &'static str,
    failure: Option<FailureKind>,
    reason: Option<String>,
    metric: String,
    value: Option<f64>,
    value_low: Option<f64>,
    value_high: Option<f64>,
    verdict: Option<Verdict>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    ratio_to: Option<String>,
    limit_share: Option<f64>,
    limit_share_low: Option<f64>,
    limit_share_high: Option<f64>,
    wall_ns: Option<f64>,
    operations: u64,
    operations_per_second: Option<f64>,
    cpu_ns_per_operation: Option<f64>,
    cpu_verdict: Option<Verdict>,
    cpu_ratio: Option<f64>,
    cpu_ratio_low: Option<f64>,
    cpu_ratio_high: Option<f64>,
    cpu_ratio_to: Option<String>,
    switches_per_operation: Option<f64>,
    peak_memory_bytes: Option<f64>,
    peak_threads: Option<u64>,
    worker_threads: Option<u64>,
    latency_p50_ns: Option<f64>,
    latency_p99_ns: Option<f64>,
    predicted_ns: Option<u64>,
    send_lag_p99_ns: Option<u64>,
    still_running: Option<u64>,
    price: Option<f64>,
    price_against: Option<String>,
    rounds: Option<usize>,
    samples: Option<usize>,
}

/// The whole report.
///
/// # Errors
/// Never in practice: it writes to memory.
pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let report = &rounding::rounded(report);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for case in &report.cases {
        for row in &case.rows {
            writer.serialize(Line {
                case: cell(&case.id),
                workload: cell(&case.workload),
                metric: case.metric.to_string(),
                operations: case.operations,
                ..line(row)
            })?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Text that a spreadsheet takes for text: one that begins like a formula would be carried out (OWASP, CSV
/// Injection).
fn cell(text: &str) -> String {
    let text = clean(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

fn line(row: &Row) -> Line {
    let numbers = row.numbers.as_ref();
    let ratio = numbers.and_then(|n| n.ratio);
    let share = numbers.and_then(|n| n.limit_share);
    let cpu = numbers.and_then(|n| n.cpu_ratio);
    let estimate = |of: fn(&Numbers) -> Option<Figure>| Some(of(numbers?)?.estimate);
    Line {
        case: String::new(),
        workload: String::new(),
        metric: String::new(),
        operations: 0,
        entry: cell(&row.entry),
        strategy: cell(&row.strategy),
        variant: cell(&row.variant),
        standing: row.standing,
        outcome: match (&row.failure, numbers) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "measured",
            (None, None) => "missing",
        },
        failure: row.failure.as_ref().map(|failure| failure.kind),
        reason: match &row.failure {
            Some(failure) => Some(cell(&failure.reason)),
            None => row.missing.as_deref().map(cell),
        },
        value: numbers.map(|n| n.value.estimate),
        value_low: numbers.and_then(|n| n.value.low),
        value_high: numbers.and_then(|n| n.value.high),
        verdict: numbers.and_then(|n| n.verdict),
        ratio: ratio.map(|r| r.estimate),
        ratio_low: ratio.and_then(|r| r.low),
        ratio_high: ratio.and_then(|r| r.high),
        ratio_to: numbers.and_then(|n| n.ratio_to.as_deref()).map(cell),
        limit_share: share.map(|s| s.estimate),
        limit_share_low: share.and_then(|s| s.low),
        limit_share_high: share.and_then(|s| s.high),
        wall_ns: numbers.map(|n| n.wall_ns.estimate),
        operations_per_second: numbers.map(|n| n.operations_per_second.estimate),
        cpu_ns_per_operation: estimate(|n| n.cpu_ns_per_operation),
        cpu_verdict: numbers.and_then(|n| n.cpu_verdict),
        cpu_ratio: cpu.map(|r| r.estimate),
        cpu_ratio_low: cpu.and_then(|r| r.low),
        cpu_ratio_high: cpu.and_then(|r| r.high),
        cpu_ratio_to: numbers.and_then(|n| n.cpu_ratio_to.as_deref()).map(cell),
        switches_per_operation: estimate(|n| n.switches_per_operation),
        peak_memory_bytes: estimate(|n| n.peak_memory_bytes),
        peak_threads: numbers.and_then(|n| n.peak_threads),
        worker_threads: numbers.and_then(|n| n.worker_threads),
        latency_p50_ns: estimate(|n| n.latency_p50_ns),
        latency_p99_ns: estimate(|n| n.latency_p99_ns),
        predicted_ns: numbers.and_then(|n| n.predicted_ns),
        send_lag_p99_ns: numbers.and_then(|n| n.send_lag_p99_ns),
        still_running: numbers.and_then(|n| n.still_running),
        price: numbers.and_then(|n| n.price.as_ref()?.ratio).map(|ratio| ratio.estimate),
        price_against: numbers.and_then(|n| n.price.as_ref()).map(|price| cell(&price.against)),
        rounds: numbers.map(|n| n.rounds),
        samples: numbers.map(|n| n.samples),
    }
}
