//! `comparison.md`.

use std::fmt::Write;

use protocol::units;

use crate::text;
use crate::{columns, map};
use analysis::Report;
use analysis::case::{CaseReport, Row, Throughput};
use analysis::{misuses, wakeups};
use protocol::clean;

/// The whole report.
pub fn render(report: &Report) -> String {
    let names: Vec<_> = report.runs.iter().map(|name| escape(name)).collect();
    let mut out = format!("# Comparison {}\n\n", names.join(" + "));
    for banner in text::banners(report) {
        let _ = writeln!(out, "> **{}**\n", escape(&banner));
    }
    if let Some(calibration) = text::calibration(report) {
        let _ = writeln!(out, "{}\n", escape(&calibration));
    }
    let _ = writeln!(out, "{}.\n", report.noise.summary());
    map_section(&mut out, report);
    out.push_str(&overview(report));
    cpu_section(&mut out, report);
    wakeups_section(&mut out, report);
    for case in &report.cases {
        case_section(&mut out, case);
    }
    curves_sections(&mut out, report);
    misuses_section(&mut out, report);
    host_section(&mut out, report);
    out
}

fn map_section(out: &mut String, report: &Report) {
    let Some(chart) = &report.map else { return };
    let _ = writeln!(out, "## A map of {}\n", escape(&chart.service));
    for sentence in &chart.crossovers {
        let _ = writeln!(out, "- {}", escape(sentence));
    }
    let drawing = map::drawing(chart, usize::MAX);
    let _ = writeln!(out, "\n{}:\n\n```\n{}\n```\n", map::axes(chart), drawing.join("\n"));
    for meaning in map::legend(chart) {
        let _ = writeln!(out, "- {}", escape(&meaning));
    }
    let _ = writeln!(out, "\n{}.", escape(&map::effort(chart)));
    for sentence in map::beyond(chart) {
        let _ = writeln!(out, "{}.", escape(&sentence));
    }
    out.push('\n');
}

fn cpu_section(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n## By CPU time\n\nRatio of the CPU time per operation to the smallest of each row, judged \
         like the metric.\n"
    );
    let header = std::iter::once("workload".to_owned()).chain(report.contestants().map(escape));
    let rows = report.cases.iter().map(|case| {
        let cells = report.contestants().map(|entry| text::cpu_cell(case, entry));
        std::iter::once(format!("`{}`", clean(&case.id))).chain(cells).collect()
    });
    out.push_str(&table(&header.collect::<Vec<_>>(), rows));
}

fn wakeups_section(out: &mut String, report: &Report) {
    if report.wakeups.is_empty() {
        return;
    }
    let introduction = wakeups::INTRODUCTION;
    let _ = writeln!(out, "\n## What rests on waking up across CPUs\n\n{introduction}\n");
    for finding in &report.wakeups {
        let _ = writeln!(out, "- {}", escape(finding));
    }
}

fn curves_sections(out: &mut String, report: &Report) {
    for curves in &report.curves {
        let _ = writeln!(out, "\n## {}\n\n{}\n", escape(&curves.title), curves.explanation);
        let header: Vec<_> = curves.header().iter().map(|cell| escape(cell)).collect();
        let lines = curves.lines.iter();
        let rows = lines.map(|line| line.cells().iter().map(|cell| escape(cell)).collect());
        out.push_str(&table(&header, rows));
    }
}

fn misuses_section(out: &mut String, report: &Report) {
    let prices = misuses::lines(report);
    if prices.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## What mistakes cost\n\n{}\n", misuses::INTRODUCTION);
    let header = ["mistake", "case", "entry", "price"].map(str::to_owned);
    let rows = prices.into_iter().map(|line| {
        vec![
            escape(&line.form),
            format!("`{}`", clean(&line.case)),
            escape(&line.entry),
            escape(&line.price),
        ]
    });
    out.push_str(&table(&header, rows));
}

/// The matrix of workload × strategy with its legend, and what suits what: what README shows.
pub fn overview(report: &Report) -> String {
    let header = std::iter::once("workload".to_owned()).chain(report.contestants().map(escape));
    let rows = report.cases.iter().map(|case| {
        let cells = report.contestants().map(|entry| text::matrix_cell(case, entry));
        std::iter::once(format!("`{}`", clean(&case.id))).chain(cells).collect()
    });
    let mut out = table(&header.collect::<Vec<_>>(), rows);
    let _ = writeln!(out, "\n{}", text::legend(report));
    for why in text::discontinued(report) {
        let _ = writeln!(out, "{why}");
    }
    for suits in &report.suits {
        let _ = writeln!(out, "\n**{}** ({}):\n", suits.title, suits.class);
        for sentence in &suits.sentences {
            let _ = writeln!(out, "- {}", escape(sentence));
        }
    }
    let _ = writeln!(out, "\nMeasured: {}.", escape(&text::provenance(report)));
    out
}

fn case_section(out: &mut String, case: &CaseReport) {
    let _ = writeln!(out, "\n## {}\n\n{}\n", escape(&case.id), case.question);
    let _ = writeln!(out, "**{}**\n", escape(&case.answer));
    if let Some(answer) = &case.cpu_answer {
        let _ = writeln!(out, "By CPU time: {}\n", escape(answer));
    }
    if let Some(Throughput { per_second, unit }) = case.single_thread {
        let _ = writeln!(out, "One thread alone: {}.\n", units::throughput(per_second, unit));
    }
    let _ = writeln!(
        out,
        "By {}; {} operations ({}) a run; limit: {}; parameters `{}`.\n",
        case.metric,
        case.operations,
        case.operation,
        escape(&case.limit),
        clean(&case.params.to_string()).replace('`', "'")
    );
    let lines: Vec<_> = case.rows.iter().filter_map(|row| columns::cells(case, row)).collect();
    if let Some(first) = lines.first() {
        let header: Vec<_> = first.iter().map(|cell| cell.name.to_owned()).collect();
        let rows = lines.iter().map(|line| line.iter().map(|cell| escape(&cell.text)).collect());
        out.push_str(&table(&header, rows));
    }
    out.push('\n');
    for row in &case.rows {
        detail(out, row);
    }
    for twin in &case.twins {
        let _ = writeln!(out, "- {}", escape(&text::twin(twin)));
    }
    let rejected = match case.rejected_rounds {
        0 => String::new(),
        rejected => format!(", {rejected} more do not count (noise, or an interruption)"),
    };
    let _ = writeln!(out, "- {}{rejected}", text::rounds(case.rounds));
    if !case.notes.is_empty() {
        out.push('\n');
    }
    for note in &case.notes {
        let _ = writeln!(out, "> {}", escape(note));
    }
}

/// The form of an entry, its prediction and latencies, or why it has no numbers.
fn detail(out: &mut String, row: &Row) {
    let entry = escape(&row.entry);
    if let Some(failure) = &row.failure {
        let _ = writeln!(out, "- {entry}: **{}**: {}", failure.kind, escape(&failure.reason));
        return;
    }
    if let Some(why) = &row.missing {
        let _ = writeln!(out, "- {entry}: not measured: {}", escape(why));
        return;
    }
    let mut parts = Vec::new();
    if let Some((form, link)) = row.form.as_ref().zip(row.link.as_ref()) {
        parts.push(format!("{} (<{}>)", escape(form), clean(link).replace(['<', '>', ' '], "")));
    }
    parts.extend(row.numbers.iter().flat_map(text::remarks));
    let text = if parts.is_empty() { "no number".to_owned() } else { parts.join("; ") };
    let _ = writeln!(out, "- {entry}: {text}");
}

fn host_section(out: &mut String, report: &Report) {
    let _ = writeln!(out, "\n## Host\n");
    let rows = text::host(report).into_iter();
    let rows = rows.map(|(name, value)| vec![name.to_owned(), escape(&value)]);
    out.push_str(&table(&["".to_owned(), "".to_owned()], rows));
    let _ = writeln!(
        out,
        "\nThe same again, as far as the machine allows:\n\n```\n{}\n```",
        text::reproduction(report)
    );
}

pub(crate) fn table(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(header);
    out.push_str(&line(&vec!["---".to_owned(); header.len()]));
    rows.for_each(|row| out.push_str(&line(&row)));
    out
}

/// Text from outside, so that it can neither break a table nor become markup.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if matches!(c, '|' | '<' | '>' | '&' | '`' | '*' | '_' | '[' | ']' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(escape("a|b\n<script>`x`"), "a\\|b \\<script\\>\\`x\\`");
    }
}
