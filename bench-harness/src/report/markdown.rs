//! `comparison.md`.

use std::fmt::Write;

use worker::observation::shown;
use worker::units;

use super::model::{CaseReport, Report, Row, Throughput};
use super::text::{self, clean, interval, or_dash};
use super::{misuses, wakeups};

/// The whole report.
pub(crate) fn render(report: &Report) -> String {
    let names: Vec<_> = report.runs.iter().map(|name| escape(name)).collect();
    let mut out = format!("# Comparison {}\n\n", names.join(" + "));
    if let Some(banner) = report.noise.banner() {
        let _ = writeln!(out, "> **{}**\n", escape(&banner));
    }
    if let Some(calibration) = text::calibration(report) {
        let _ = writeln!(out, "{}\n", escape(&calibration));
    }
    let _ = writeln!(out, "{}.\n", report.noise.summary());
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

/// The matrix of workload × strategy with its legend, and a sentence for each workload: what README
/// shows.
pub(crate) fn overview(report: &Report) -> String {
    let header = std::iter::once("workload".to_owned()).chain(report.contestants().map(escape));
    let rows = report.cases.iter().map(|case| {
        let cells = report.contestants().map(|entry| text::matrix_cell(case, entry));
        std::iter::once(format!("`{}`", clean(&case.id))).chain(cells).collect()
    });
    let mut out = table(&header.collect::<Vec<_>>(), rows);
    let _ = writeln!(out, "\n{}", text::LEGEND);
    if report.contestants().any(|entry| entry == "async-std") {
        let _ = writeln!(out, "{}", text::ASYNC_STD);
    }
    out.push('\n');
    for case in &report.cases {
        let _ = writeln!(out, "- `{}`: {}", clean(&case.id), escape(&case.answer));
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
        case.metric, case.operations, case.operation, case.limit, case.params
    );
    let header = [
        "entry",
        "value",
        "ratio",
        "verdict",
        "of limit",
        "wall",
        "per second",
        "CPU/op",
        "by CPU",
        "switches/op",
        "memory",
        "threads",
        "workers",
    ];
    let measured = case.rows.iter().filter(|row| row.numbers.is_some());
    out.push_str(&table(&header.map(str::to_owned), measured.map(|row| cells(case, row))));
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

fn cells(case: &CaseReport, row: &Row) -> Vec<String> {
    let numbers = row.numbers.as_ref().expect("only rows with numbers are shown");
    vec![
        escape(&text::name(row)),
        shown(case.metric, numbers.value),
        or_dash(numbers.ratio, interval),
        text::verdict(row),
        text::share(numbers.limit_share),
        units::duration(numbers.wall_ns),
        units::per_second(numbers.operations_per_second),
        or_dash(numbers.cpu_ns_per_operation, units::duration),
        or_dash(numbers.cpu_ratio, interval),
        or_dash(numbers.switches_per_operation, units::digits),
        or_dash(numbers.peak_memory_bytes, |size| units::bytes(size as f64)),
        or_dash(numbers.peak_threads, |count| count.to_string()),
        or_dash(numbers.worker_threads, |count| count.to_string()),
    ]
}

/// The form of an entry, its prediction and latencies, or why it has no numbers.
fn detail(out: &mut String, row: &Row) {
    let entry = escape(&row.entry);
    if let Some(failure) = &row.failure {
        let _ = writeln!(out, "- {entry}: **{}**: {}", failure.kind, escape(&failure.reason));
        return;
    }
    let mut parts = Vec::new();
    if let Some((form, link)) = row.form.as_ref().zip(row.link.as_ref()) {
        parts.push(format!("{} (<{}>)", escape(form), clean(link).replace(['<', '>', ' '], "")));
    }
    if let Some(numbers) = &row.numbers {
        parts.extend(text::prediction(numbers));
        if let Some((p50, p99)) = numbers.latency_p50_ns.zip(numbers.latency_p99_ns) {
            let (p50, p99) = (units::duration(p50 as f64), units::duration(p99 as f64));
            parts.push(format!("latency {p50} at the median, {p99} at p99"));
        }
        parts.extend(
            numbers.send_lag_p99_ns.map(|lag| {
                format!("the generator sent {} late at p99", units::duration(lag as f64))
            }),
        );
        parts.extend(
            numbers
                .slowest_stage_ns
                .map(|ns| format!("slowest stage {}", units::duration(ns as f64))),
        );
        parts.extend(numbers.bytes_per_task.map(|(user, kernel)| {
            format!("{user} bytes a task in the process, {kernel} in the kernel")
        }));
        parts.extend(
            numbers.active_turn_ns.map(|ns| {
                format!("a turn of the active tasks every {}", units::duration(ns as f64))
            }),
        );
        parts.extend(numbers.peak_depth.map(|depth| format!("at most {depth} between two stages")));
    }
    let text = if parts.is_empty() { "no number".to_owned() } else { parts.join("; ") };
    let _ = writeln!(out, "- {entry}: {text}");
}

fn host_section(out: &mut String, report: &Report) {
    let host = &report.host;
    let mut rows = vec![
        ("CPU", or_dash(host.cpu.as_ref(), |s| escape(s))),
        (
            "CPUs online / allowed",
            format!(
                "{} / {}",
                or_dash(host.cpus_online, |n| n.to_string()),
                or_dash(host.cpus_allowed, |n| n.to_string())
            ),
        ),
        ("virtualisation", or_dash(host.virtualisation.as_ref(), |s| escape(s))),
        ("governor", or_dash(host.governor.as_ref(), |s| escape(s))),
        ("memory", or_dash(host.memory_bytes, |size| units::bytes(size as f64))),
        ("kernel", or_dash(host.kernel.as_ref(), |s| escape(s))),
        ("rustc", or_dash(host.rustc.as_ref(), |s| escape(s))),
        (
            "revision",
            or_dash(host.git_revision.as_ref(), |revision| {
                let modified = if host.git_modified == Some(true) { ", modified" } else { "" };
                format!("{}{modified}", escape(revision))
            }),
        ),
        ("Cargo.lock", or_dash(host.lock_file_blake3.as_ref(), |s| escape(s))),
        ("allocator", escape(&host.allocator)),
    ];
    let versions: Vec<_> =
        host.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    rows.push(("crates", escape(&versions.join(", "))));
    let _ = writeln!(out, "\n## Host\n");
    let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    out.push_str(&table(&["".to_owned(), "".to_owned()], rows));
}

fn table(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(header);
    out.push_str(&line(&vec!["---".to_owned(); header.len()]));
    rows.for_each(|row| out.push_str(&line(&row)));
    out
}

/// Text from outside, so that it can neither break a table nor become markup.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if matches!(c, '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\' | '#') {
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
