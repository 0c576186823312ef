//! The report for a terminal of 100 columns.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use worker::units;

use super::model::{CaseReport, Report, Row, interval};
use super::text::{self, clean, or_dash};

/// The whole report as plain text.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", text::provenance(report));
    let _ = writeln!(
        out,
        "{:.0} % of the time of all visits was measured or warm-up\n",
        100.0 * report.measured_share
    );
    table(&mut out, &matrix(report), 1);
    let _ = writeln!(out, "\n{}", text::LEGEND);
    if report.contestants().any(|entry| entry == "async-std") {
        let _ = writeln!(out, "{}", text::ASYNC_STD);
    }
    for case in &report.cases {
        case_section(&mut out, case);
    }
    out
}

fn matrix(report: &Report) -> Vec<Vec<String>> {
    let header = std::iter::once("workload".to_owned()).chain(report.contestants().map(clean));
    let rows = report.cases.iter().map(|case| {
        let cells = report.contestants().map(|entry| text::matrix_cell(case, entry));
        std::iter::once(clean(&case.id)).chain(cells).collect()
    });
    std::iter::once(header.collect()).chain(rows).collect()
}

fn case_section(out: &mut String, case: &CaseReport) {
    let _ = writeln!(out, "\n{} — {}", clean(&case.id), case.question);
    let _ = writeln!(out, "  {}", case.answer);
    let _ = writeln!(out, "  by {}, limit: {}", case.metric, case.limit);
    let header = ["", "value", "ratio", "verdict", "of limit", "CPU/op", "memory", "threads"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(case.rows.iter().filter(|row| row.numbers.is_some()).map(cells));
    if rows.len() > 1 {
        table(out, &rows, 1);
    }
    for row in &case.rows {
        if let Some(prediction) = row.numbers.as_ref().and_then(text::prediction) {
            let _ = writeln!(out, "  {}: {prediction}", clean(&row.entry));
        }
    }
    for row in &case.rows {
        if let Some(failure) = &row.failure {
            let _ = writeln!(
                out,
                "  {}: {}: {}",
                clean(&row.entry),
                failure.kind,
                clean(&failure.reason)
            );
        }
    }
    for note in &case.notes {
        let _ = writeln!(out, "  note: {}", clean(note));
    }
}

fn cells(row: &Row) -> Vec<String> {
    let numbers = row.numbers.as_ref().expect("only rows with numbers are shown");
    vec![
        text::name(row),
        units::duration(numbers.value_ns),
        or_dash(numbers.ratio, interval),
        text::verdict(row),
        text::share(numbers.limit_share),
        or_dash(numbers.cpu_ns_per_operation, units::duration),
        or_dash(numbers.peak_memory_bytes, |size| units::bytes(size as f64)),
        or_dash(numbers.peak_threads, |count| count.to_string()),
    ]
}

/// Draws columns with two spaces between them, numbers to the right.
fn table(out: &mut String, rows: &[Vec<String>], left_aligned: usize) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(rows[0].clone());
    table.add_rows(rows[1..].iter().cloned());
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 2 } else { 0 }, 2));
        if index >= left_aligned {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}
