//! The section of a workload: its cases with charts and tables, and the code of every implementation.

use std::collections::BTreeMap;

use maud::{Markup, html};
use protocol::units;
use protocol::units::Scale;
use workloads::Metric;

use crate::columns;
use crate::html::axis::Axis;
use crate::html::charts::{Curve, Dot, Look, curves, dots};
use crate::html::{anchor, code, scroll};
use crate::text;
use analysis::Report;
use analysis::case::{CaseReport, Numbers, Row};
use analysis::curves::Curves;
use judge::Figure;
use protocol::clean;

/// Shares of the operations that are named below the curves of latencies.
const NAMED: [f64; 6] = [0.01, 0.5, 0.9, 0.99, 0.999, 0.9999];

/// All cases of a workload, of which there is at least one.
pub(super) fn section(report: &Report, cases: &[&CaseReport]) -> Markup {
    let workload = &cases[0].workload;
    let of_this: Vec<_> =
        report.curves.iter().filter(|curves| curves.workload == *workload).collect();
    html! {
        section.workload id=(anchor("workload", workload)) {
            h2 { (clean(workload)) }
            p.question { (cases[0].question) }
            p.meta { "Class " (cases[0].class) "; one operation is: " (cases[0].operation) "." }
            @for curves in of_this { (curves_section(curves)) }
            @for case in cases { (case_section(case)) }
            @if let Some(sources) = &report.sources {
                details.code {
                    summary { "The code of each implementation of " (clean(workload)) }
                    @for strategy in sources.strategies.keys() {
                        @if let Some((file, text)) = sources.of_workload(strategy, workload) {
                            (code(&format!("{strategy}: {file}"), text))
                        }
                    }
                }
            }
        }
    }
}

/// A workload's curves over one parameter, with their numbers.
fn curves_section(of: &Curves) -> Markup {
    let last = of.at.len().saturating_sub(1).max(1) as f64;
    let at = |index: usize| 0.04 + 0.92 * index as f64 / last;
    let names: Vec<_> = of.at.iter().enumerate().map(|(i, name)| (at(i), name.clone())).collect();
    let drawn: Vec<_> = of
        .lines
        .iter()
        .map(|line| Curve {
            name: line.entry.clone(),
            look: Look::of(&line.entry),
            points: line
                .points
                .iter()
                .enumerate()
                .filter_map(|(i, point)| Some((at(i), point.as_ref()?.value)))
                .collect(),
        })
        .collect();
    let values = || drawn.iter().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let axis = match of.scale {
        Scale::Share => Some(Axis::of_shares()),
        Scale::Ratio => Axis::around(values().chain([0.0])),
        _ => Axis::logarithmic(values()).map(|axis| axis.of(of.scale)),
    };
    let lines = of.lines.iter().map(|line| line.cells());
    html! {
        h3 { (of.title) }
        p { (of.explanation) }
        @if let Some(axis) = axis {
            (curves(&of.title, &of.parameter, &names, axis, |value| of.scale.show(value, 3), &drawn))
        }
        (plain_table(&of.title, &of.header(), lines))
    }
}

fn case_section(case: &CaseReport) -> Markup {
    let measured: Vec<_> = case.rows.iter().filter(|row| row.numbers.is_some()).collect();
    html! {
        article.case id=(anchor("case", &case.id)) {
            h3 { (clean(&case.id)) }
            p.answer { (clean(&case.answer)) }
            @if let Some(answer) = &case.cpu_answer { p { "By CPU time: " (clean(answer)) } }
            p.meta {
                "By " (case.metric) "; " (case.operations) " operations a run; limit: " (clean(&case.limit))
                @if let Some(rate) = case.single_thread {
                    "; one thread alone: " (units::throughput(rate.per_second, rate.unit))
                }
                "; parameters " code { (clean(&case.params.to_string())) } "."
            }
            @if !measured.is_empty() {
                div.charts {
                    (limit_chart(case, &measured))
                    (observations_chart(case, &measured))
                    (latency_chart(case, &measured))
                }
                (numbers_table(case, &measured))
                (latency_table(case, &measured))
                (observations_table(case, &measured))
            }
            (forms(case))
            @if !case.notes.is_empty() {
                ul.notes { @for note in &case.notes { li { (clean(note)) } } }
            }
        }
    }
}

fn numbers(row: &Row) -> &Numbers {
    row.numbers.as_ref().expect("only rows with numbers are drawn")
}

/// How much of what the machine allows is reached.
fn limit_chart(case: &CaseReport, rows: &[&Row]) -> Markup {
    let share = |row: &&&Row| numbers(row).limit_share;
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| share(row).is_some())
        .map(|row| Dot {
            name: row.entry.clone(),
            look: Look::of_row(row),
            value: share(&row),
            observations: Vec::new(),
            predicted: None,
        })
        .collect();
    let values = rows.iter().filter_map(|row| row.value).flat_map(ends).chain([1.0]);
    let Some(axis) = Axis::around(values).filter(|_| !rows.is_empty()) else { return html! {} };
    let caption =
        format!("{}: how much of the limit is reached, with its interval", clean(&case.id));
    dots(&caption, axis, units::percent, &rows, Some((1.0, "limit")))
}

/// Every process's own value.
fn observations_chart(case: &CaseReport, rows: &[&Row]) -> Markup {
    let scaled = |value: f64| text::scaled(case.metric, Figure::without_interval(value)).1.estimate;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| Dot {
            name: row.entry.clone(),
            look: Look::of_row(row),
            value: Some(text::scaled(case.metric, numbers(row).value).1),
            observations: numbers(row).observations.iter().map(|value| scaled(*value)).collect(),
            predicted: None,
        })
        .collect();
    let scale = text::scaled(case.metric, Figure::without_interval(1.0)).0;
    let values = rows
        .iter()
        .flat_map(|row| row.observations.iter().copied().chain(row.value.map(|v| v.estimate)));
    let Some(axis) = Axis::around(values) else { return html! {} };
    let axis = axis.of(scale);
    let caption = format!(
        "{}: {}, every process (ticks), their median and its interval",
        clean(&case.id),
        case.metric
    );
    let shown = |value: f64| match case.metric {
        Metric::StillRunning => format!("{value:.0}"),
        _ => scale.show(value, 3),
    };
    dots(&caption, axis, shown, &rows, None)
}

/// The ends of a figure's interval, or its estimate; without those that say nothing.
fn ends(figure: Figure) -> [f64; 2] {
    match figure.interval() {
        Some((low, high)) if high < 10.0 * low => [low, high],
        _ => [figure.estimate; 2],
    }
}

/// Where a share lies, so that 90 %, 99 % and 99.9 % are equally far apart.
fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}

fn latency_chart(case: &CaseReport, rows: &[&Row]) -> Markup {
    let shares =
        || rows.iter().flat_map(|row| numbers(row).latencies.iter().map(|point| point.share));
    let most = shares().map(nines).fold(0.0, f64::max);
    let at = |share: f64| 0.02 + 0.96 * nines(share) / most.max(0.1);
    let drawn: Vec<_> = rows
        .iter()
        .filter(|row| !numbers(row).latencies.is_empty())
        .map(|row| Curve {
            name: row.entry.clone(),
            look: Look::of_row(row),
            points: numbers(row)
                .latencies
                .iter()
                .map(|point| (at(point.share), point.ns))
                .collect(),
        })
        .collect();
    let values = drawn.iter().flat_map(|curve| curve.points.iter().map(|(_, ns)| *ns));
    let Some(axis) = Axis::logarithmic(values) else { return html! {} };
    let names: Vec<_> = NAMED
        .into_iter()
        .filter(|share| nines(*share) <= most)
        .map(|share| (at(share), format!("{} %", (share * 1e4).round() / 100.0)))
        .collect();
    let caption = format!("{}: latency of single operations", clean(&case.id));
    curves(
        &caption,
        "share of the operations that did not take longer",
        &names,
        axis,
        units::duration,
        &drawn,
    )
}

fn latency_table(case: &CaseReport, rows: &[&Row]) -> Markup {
    let shares: BTreeMap<u64, f64> = rows
        .iter()
        .flat_map(|row| &numbers(row).latencies)
        .map(|point| (point.share.to_bits(), point.share))
        .collect();
    if shares.is_empty() {
        return html! {};
    }
    let name = |share: f64| format!("{} %", (share * 1e4).round() / 100.0);
    let header: Vec<_> = std::iter::once("entry".to_owned())
        .chain(shares.values().map(|share| name(*share)))
        .collect();
    let lines = rows.iter().filter(|row| !numbers(row).latencies.is_empty()).map(|row| {
        let at = |share: f64| {
            let point = numbers(row).latencies.iter().find(|point| point.share == share);
            text::or_dash(point, |point| units::duration(point.ns))
        };
        std::iter::once(text::name(row)).chain(shares.values().map(|share| at(*share))).collect()
    });
    let title = format!("Latencies of {}", clean(&case.id));
    html! {
        details { summary { "Latencies as a table" } (plain_table(&title, &header, lines)) }
    }
}

fn observations_table(case: &CaseReport, rows: &[&Row]) -> Markup {
    let header = ["entry", "processes", "each, in the order of the rounds"].map(str::to_owned);
    let shown = |value: &f64| text::shown(case.metric, Figure::without_interval(*value));
    let lines = rows.iter().map(|row| {
        let observations = &numbers(row).observations;
        let each: Vec<_> = observations.iter().map(shown).collect();
        vec![text::name(row), observations.len().to_string(), each.join(", ")]
    });
    let title = format!("Observations of {}", clean(&case.id));
    html! {
        details { summary { "Observations as a table" } (plain_table(&title, &header, lines)) }
    }
}

fn numbers_table(case: &CaseReport, rows: &[&Row]) -> Markup {
    let lines: Vec<_> = rows.iter().filter_map(|row| columns::cells(case, row)).collect();
    let title = format!("Numbers of {}", clean(&case.id));
    scroll(
        &title,
        html! {
            table.sortable {
                caption.hidden { (title) }
                thead { tr { @for cell in lines.iter().take(1).flatten() { th scope="col" { (cell.name) } } } }
                tbody {
                    @for line in &lines {
                        tr {
                            @for (index, cell) in line.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" { (cell.text) }
                                } @else {
                                    td data-sort=[cell.number] { (cell.text) }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// How each entry does it, what was predicted and noticed, and why some have no number.
fn forms(case: &CaseReport) -> Markup {
    html! {
        details {
            summary { "How each does it, and why some have no number" }
            ul.forms {
                @for row in &case.rows {
                    li {
                        strong { (text::name(row)) } ": "
                        @if let Some(failure) = &row.failure {
                            em { (failure.kind) } ": " (clean(&failure.reason))
                        } @else if let Some(why) = &row.missing {
                            em { "not measured" } ": " (clean(why))
                        } @else {
                            (form(row))
                        }
                    }
                }
                @for twin in &case.twins { li { (clean(&text::twin(twin))) } }
            }
            p {
                (text::rounds(case.rounds)) " count"
                @if case.rejected_rounds > 0 {
                    "; " (case.rejected_rounds) " more do not (noise, or an interruption)"
                }
                "."
            }
        }
    }
}

fn form(row: &Row) -> Markup {
    let link = row.link.as_deref().filter(|link| text::is_web_address(link));
    let remarks = row.numbers.as_ref().map(text::remarks).unwrap_or_default();
    html! {
        @match (&row.form, link) {
            (Some(form), Some(link)) => { (clean(form)) " (" a href=(link) { "documentation" } ")" },
            (Some(form), None) => { (clean(form)) },
            (None, _) => { "no number" },
        }
        @for remark in remarks { "; " (remark) }
    }
}

/// A table without anything to sort by.
pub(super) fn plain_table(
    title: &str,
    header: &[String],
    lines: impl Iterator<Item = Vec<String>>,
) -> Markup {
    let lines: Vec<_> = lines.collect();
    // `51.3 ms [50.1, 52.4]` is the longest number.
    let number = |cell: &String| {
        cell.starts_with(|c: char| c.is_ascii_digit() || c == '—') && cell.split(' ').count() <= 4
    };
    let is_words = |column: usize| {
        let mut cells = lines.iter().filter_map(|line| line.get(column));
        !cells.all(|cell| number(cell) || cell.is_empty())
    };
    let table = html! {
        table {
            caption.hidden { (title) }
            thead {
                tr {
                    @for (column, name) in header.iter().enumerate() {
                        th.words[is_words(column)] scope="col" { (clean(name)) }
                    }
                }
            }
            tbody {
                @for line in &lines {
                    tr {
                        @for (column, cell) in line.iter().enumerate() {
                            @if column == 0 {
                                th scope="row" { (clean(cell)) }
                            } @else {
                                td.words[is_words(column)] { (clean(cell)) }
                            }
                        }
                    }
                }
            }
        }
    };
    scroll(title, table)
}
