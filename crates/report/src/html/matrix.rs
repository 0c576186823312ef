//! The answer at a glance: workload × strategy, coloured by the ratio to the best.

use maud::{Markup, html};
use protocol::FailureKind;
use record::models;
use workloads::Class;

use crate::html::anchor;
use crate::text;
use analysis::Report;
use analysis::case::{CaseReport, Row};
use analysis::text::By;
use judge::Verdict;
use protocol::clean;

/// Ratios from which on a colour is darker.
const STEPS: [f64; 4] = [1.1, 1.5, 3.0, 10.0];

/// The order of the classes on the page.
pub(super) const CLASSES: [Class; 5] =
    [Class::Io, Class::Cpu, Class::Mixed, Class::Coordination, Class::Scale];

pub(super) fn matrix(report: &Report, by: By, caption: &str) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table.matrix.sortable {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "workload" }
                        @for entry in report.contestants() {
                            th scope="col" {
                                (clean(entry))
                                @if let Some(why) = models::find(entry).and_then(|model| model.discontinued) {
                                    span.flag title=(why) { "discontinued" }
                                }
                            }
                        }
                    }
                }
                @for class in CLASSES {
                    @let cases: Vec<_> =
                        report.cases.iter().filter(|case| case.class == class).collect();
                    @if !cases.is_empty() {
                        tbody data-class=(class) {
                            tr.group {
                                th scope="rowgroup" colspan=(report.contestants.len() + 1) { (class) }
                            }
                            @for case in cases { (row(report, case, by)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(report: &Report, case: &CaseReport, by: By) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#" (anchor("case", &case.id)) } { (clean(&case.id)) } }
            @for entry in report.contestants() {
                @let row = case.rows.iter().find(|row| row.entry == entry);
                td class=(row.map_or("", |row| colour(row, by))) data-sort=[row.and_then(|r| ratio(r, by))]
                    title=[row.and_then(|row| tooltip(case, row, by))] {
                    @match by {
                        By::Metric => (text::matrix_cell(case, entry)),
                        By::CpuTime => (text::cpu_cell(case, entry)),
                    }
                }
            }
        }
    }
}

fn figure(row: &Row, by: By) -> Option<(Option<Verdict>, Option<judge::Figure>)> {
    let (verdict, ratio, _) = by.of(row.numbers.as_ref()?);
    Some((verdict, ratio))
}

fn ratio(row: &Row, by: By) -> Option<f64> {
    figure(row, by)?.1.map(|ratio| ratio.estimate)
}

fn tooltip(case: &CaseReport, row: &Row, by: By) -> Option<String> {
    if let Some(failure) = &row.failure {
        return Some(clean(&failure.reason));
    }
    figure(row, by)?.1?;
    let slower = match figure(row, by)?.0 {
        Some(Verdict::Slower) => format!("; {}", text::slower_than(row, by)),
        _ => String::new(),
    };
    Some(format!("{}: {}{slower}", clean(&row.entry), text::ratio(case, row, by)))
}

/// The class of a cell.
fn colour(row: &Row, by: By) -> &'static str {
    match &row.failure {
        Some(failure) if by == By::Metric && failure.kind != FailureKind::Unsupported => {
            return "failed";
        }
        Some(_) => return "none",
        None => {}
    }
    if !row.is_contestant() {
        return "misuse";
    }
    match figure(row, by) {
        Some((Some(Verdict::Best), _)) => "best",
        Some((Some(Verdict::Tied), _)) => "tied",
        Some((Some(Verdict::Alone), _)) => "alone",
        Some((Some(Verdict::Undecided), _)) => "undecided",
        Some((Some(Verdict::Slower), Some(ratio))) => {
            ["slower-0", "slower-1", "slower-2", "slower-3", "slower-4"]
                [STEPS.iter().filter(|step| ratio.estimate >= **step).count()]
        }
        _ => "none",
    }
}

/// What the colours mean.
pub(super) fn legend(report: &Report) -> Markup {
    let tied = format!("tied: {}", text::tied(report));
    let keys = [
        ("best", "best: clear of all others"),
        ("tied", tied.as_str()),
        ("undecided", "? undecided: the interval is in the section"),
        ("slower-0", "slower, below 1.1×"),
        ("slower-1", "below 1.5×"),
        ("slower-2", "below 3×"),
        ("slower-3", "below 10×"),
        ("slower-4", "10× and more"),
        ("misuse", "misuse: a known mistake and its price"),
        (
            "slower-0",
            "≥: slower than another by so much at least, though not for certain than the leader",
        ),
        ("alone", "alone: no other fair form"),
        ("failed", "failed, with the kind of failure"),
        (
            "none",
            "—: the model has no form of it, or the machine does not allow it; empty: it does not take part",
        ),
    ];
    html! {
        ul.key aria-label="What the colours mean" {
            @for (class, meaning) in keys { li { span class={ "swatch " (class) } {} (meaning) } }
        }
    }
}
