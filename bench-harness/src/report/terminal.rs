//! The report for a terminal of 100 columns.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use worker::units::{self, Scale};

use super::model::{CaseReport, Report, Row};
use super::text::{self, clean, interval, or_dash};
use super::{misuses, wakeups};

const COLUMNS: usize = 100;

/// The whole report as plain text.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    if let Some(banner) = report.noise.banner() {
        paragraph(&mut out, "", &banner);
        out.push('\n');
    }
    paragraph(&mut out, "", &text::provenance(report));
    if let Some(calibration) = text::calibration(report) {
        paragraph(&mut out, "", &calibration);
    }
    paragraph(&mut out, "", &report.noise.summary());
    let share = 100.0 * report.measured_share;
    paragraph(
        &mut out,
        "",
        &format!("{share:.0} % of the time of all visits was measured or warm-up"),
    );
    out.push('\n');
    table(&mut out, &matrix(report), 1);
    out.push('\n');
    paragraph(&mut out, "", text::LEGEND);
    if report.contestants().any(|entry| entry == "async-std") {
        paragraph(&mut out, "", text::ASYNC_STD);
    }
    for case in &report.cases {
        case_section(&mut out, case);
    }
    if !report.wakeups.is_empty() {
        out.push('\n');
        let title = "What rests on waking up across CPUs";
        paragraph(&mut out, "", &format!("{title} — {}", wakeups::INTRODUCTION));
        for finding in &report.wakeups {
            paragraph(&mut out, "  ", finding);
        }
    }
    for curves in &report.curves {
        out.push('\n');
        paragraph(&mut out, "", &format!("{} — {}", curves.title, curves.explanation));
        let lines = curves.lines.iter().map(super::curves::Line::cells);
        table(&mut out, &std::iter::once(curves.header()).chain(lines).collect::<Vec<_>>(), 1);
    }
    let prices = misuses::lines(report);
    if !prices.is_empty() {
        out.push('\n');
        paragraph(&mut out, "", &format!("What mistakes cost — {}", misuses::INTRODUCTION));
        for line in prices {
            let misuses::Line { form, case, entry, price, .. } = line;
            paragraph(&mut out, "  ", &format!("{entry}, {case}: {price}: {form}"));
        }
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
    out.push('\n');
    paragraph(out, "", &format!("{} — {}", clean(&case.id), case.question));
    paragraph(out, "  ", &case.answer);
    if let Some(answer) = &case.cpu_answer {
        paragraph(out, "  ", &format!("By CPU time: {answer}"));
    }
    let rate = case.single_thread.map_or_else(String::new, |rate| {
        format!("; one thread alone: {}", units::throughput(rate.per_second, rate.unit))
    });
    paragraph(out, "  ", &format!("by {}, limit: {}{rate}", case.metric, case.limit));
    let header = ["", "value", "ratio", "verdict", "of limit", "CPU/op", "by CPU", "memory"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(case.rows.iter().filter(|row| row.numbers.is_some()).map(|row| cells(case, row)));
    if rows.len() > 1 {
        table(out, &rows, 1);
    }
    for row in &case.rows {
        if let Some(prediction) = row.numbers.as_ref().and_then(text::prediction) {
            paragraph(out, "  ", &format!("{}: {prediction}", row.entry));
        }
    }
    for row in &case.rows {
        if let Some(failure) = &row.failure {
            paragraph(out, "  ", &format!("{}: {}: {}", row.entry, failure.kind, failure.reason));
        }
    }
    for note in &case.notes {
        paragraph(out, "  ", &format!("note: {note}"));
    }
}

/// Writes text on lines that fit, tamed.
fn paragraph(out: &mut String, indent: &str, text: &str) {
    let options = textwrap::Options::new(COLUMNS).initial_indent(indent).subsequent_indent(indent);
    for line in textwrap::wrap(&clean(text), options) {
        let _ = writeln!(out, "{line}");
    }
}

fn cells(case: &CaseReport, row: &Row) -> Vec<String> {
    let numbers = row.numbers.as_ref().expect("only rows with numbers are shown");
    vec![
        text::name(row),
        text::shown(case.metric, numbers.value),
        or_dash(numbers.ratio, interval),
        text::verdict(row),
        or_dash(numbers.limit_share, |share| share.shown(Scale::Share)),
        or_dash(numbers.cpu_ns_per_operation, |ns| ns.shown(Scale::Duration)),
        text::cpu_cell(case, &row.entry),
        or_dash(numbers.peak_memory_bytes, |size| units::bytes(size as f64)),
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

#[cfg(test)]
mod tests {
    use worker::How;
    use worker::protocol::{Failure, FailureKind};

    use super::COLUMNS;
    use crate::journal::Outcome;
    use crate::report::model::tests::{run, walls};
    use crate::report::{Report, markdown, terminal};

    fn example() -> Report {
        let failure = Failure::new(FailureKind::Timeout, "no answer within 2.0 s; it was killed");
        Report::of(&run(
            "map",
            &[
                (
                    "threads",
                    walls(&[1_000_000, 1_010_000, 990_000], How::fair("threads", "https://a")),
                ),
                (
                    "rayon",
                    walls(&[1_300_000, 1_310_000, 1_330_000], How::off_label("jobs", "https://b")),
                ),
                (
                    "tokio",
                    walls(&[9_000_000, 9_100_000, 8_900_000], How::misuse("blocks", "https://c")),
                ),
                ("smol", vec![Outcome::Failed(failure)]),
                (
                    "floor/sequential",
                    walls(&[1_900_000, 1_920_000, 1_880_000], How::floor("one", "https://d")),
                ),
            ],
        ))
    }

    #[test]
    fn the_report_for_a_terminal() {
        let text = terminal::render(&example());
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_report_in_markdown() {
        insta::assert_snapshot!(markdown::render(&example()));
    }
}
