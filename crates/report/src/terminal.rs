//! The report for a terminal, in colour where that is wanted.

use analysis::shown::Shown;
use anstyle::{AnsiColor, Style};
use protocol::FailureKind;
use protocol::units;
use protocol::units::Scale;

use crate::layout::{Cell, Look, PLAIN, Page, plain_cells};
use crate::text;
use crate::text::or_dash;
use crate::{decision, map};
use analysis::Report;
use analysis::case::{CaseReport, Row};
use analysis::decide::Decision;
use analysis::map::chart::Chart;
use analysis::text::By;
use analysis::{misuses, wakeups};
use judge::Figure;
use judge::Verdict;
use protocol::clean;

/// Ratios from which being slower is yellow, and red.
const NOTICEABLE: f64 = 1.1;
const GRAVE: f64 = 3.0;

const GOOD: Style = AnsiColor::Green.on_default();
const SLOWER: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = Style::new().dimmed();

/// The whole report as text.
pub fn render(report: &Report, look: Look) -> String {
    let mut page = Page { look, text: String::new() };
    for banner in text::banners(report) {
        page.paragraph("", &banner);
        page.blank();
    }
    page.paragraph("", &text::provenance(report));
    if let Some(calibration) = text::calibration(report) {
        page.paragraph("", &calibration);
    }
    page.paragraph("", &report.noise.summary());
    let share = 100.0 * report.measured_share;
    page.paragraph("", &format!("{share:.0} % of the time of all visits was measured or warm-up"));
    page.blank();
    if let Some(decision) = &report.decision {
        decision_section(&mut page, decision);
    }
    if let Some(chart) = &report.map {
        map_section(&mut page, chart);
    }
    page.table(&matrix(report));
    page.blank();
    page.paragraph("", &text::legend(report));
    for why in text::discontinued(report) {
        page.paragraph("", why);
    }
    if !report.suits.is_empty() {
        page.section("What suits what", "the verdicts of all cases of a class of work");
        for suits in &report.suits {
            page.paragraph("  ", &format!("{} ({}):", suits.title, suits.class));
            for sentence in &suits.sentences {
                page.paragraph("    ", sentence);
            }
        }
    }
    for case in &report.cases {
        case_section(&mut page, case);
    }
    if !report.wakeups.is_empty() {
        page.section("What rests on waking up across CPUs", wakeups::INTRODUCTION);
        for finding in &report.wakeups {
            page.paragraph("  ", finding);
        }
    }
    for curves in &report.curves {
        page.section(&curves.title, &curves.explanation);
        let lines = curves.lines.iter().map(analysis::curves::Line::cells);
        let rows = std::iter::once(curves.header()).chain(lines);
        page.table(&rows.map(plain_cells).collect::<Vec<_>>());
    }
    let prices = misuses::lines(report);
    if !prices.is_empty() {
        page.section("What mistakes cost", misuses::INTRODUCTION);
        for line in prices {
            let misuses::Line { form, case, entry, price, .. } = line;
            page.paragraph("  ", &format!("{entry}, {case}: {price}: {form}"));
        }
    }
    page.text
}

fn decision_section(page: &mut Page, decision: &Decision) {
    page.section(&format!("A concurrency model for {}", decision.service), &decision.summary);
    if let Some(settles) = &decision.settles {
        page.paragraph("  ", &format!("what would settle it: {settles}"));
    }
    let (header, rows) = decision::numbers(decision);
    let rows = std::iter::once(header).chain(rows).map(plain_cells);
    page.table(&rows.collect::<Vec<_>>());
    if let Some(reason) = decision::no_capacity(decision) {
        page.paragraph("  ", &format!("no capacity is known: {reason}"));
    }
    for option in &decision.options {
        if let Some(reason) = &option.excluded {
            page.paragraph("  ", &format!("{} is excluded: {reason}", option.entry));
        }
    }
    for change in &decision.sensitivity {
        page.paragraph("  ", &change.sentence);
    }
    for reservation in &decision.reservations {
        page.paragraph("  ", reservation);
    }
    page.paragraph("  ", "decision.md has the record");
    page.blank();
}

fn map_section(page: &mut Page, chart: &Chart) {
    page.section(&format!("A map of {}", chart.service), &map::axes(chart));
    page.blank();
    for line in map::drawing(chart, page.look.columns - 2) {
        page.verbatim(&format!("  {line}"));
    }
    page.blank();
    for meaning in map::legend(chart) {
        page.paragraph("  ", &meaning);
    }
    page.blank();
    for sentence in &chart.crossovers {
        page.paragraph("  ", sentence);
    }
    page.paragraph("  ", &format!("{}.", map::effort(chart)));
    for sentence in map::beyond(chart) {
        page.paragraph("  ", &format!("{sentence}."));
    }
    page.blank();
}

fn matrix(report: &Report) -> Vec<Vec<Cell>> {
    let header = std::iter::once("workload".to_owned()).chain(report.contestants().map(clean));
    let rows = report.cases.iter().map(|case| {
        let cells = report.contestants().map(|entry| {
            let row = case.rows.iter().find(|row| row.entry == entry);
            Cell::new(text::matrix_cell(case, entry), row.map_or(PLAIN, style))
        });
        std::iter::once(Cell::plain(&case.id)).chain(cells).collect()
    });
    std::iter::once(plain_cells(header)).chain(rows).collect()
}

fn case_section(page: &mut Page, case: &CaseReport) {
    page.section(&case.id, &case.question);
    page.paragraph("  ", &case.answer);
    if let Some(answer) = &case.cpu_answer {
        page.paragraph("  ", &format!("By CPU time: {answer}"));
    }
    let rate = case.single_thread.map_or_else(String::new, |rate| {
        format!("; one thread alone: {}", units::throughput(rate.per_second, rate.unit))
    });
    page.paragraph("  ", &format!("by {}, limit: {}{rate}", case.metric, case.limit));
    let header = ["", "value", "ratio", "verdict", "of limit", "CPU/op", "by CPU", "memory"];
    let mut rows = vec![plain_cells(header)];
    rows.extend(case.rows.iter().filter(|row| row.numbers.is_some()).map(|row| cells(case, row)));
    if rows.len() > 1 {
        page.table(&rows);
    }
    for row in &case.rows {
        if let Some(prediction) = row.numbers.as_ref().and_then(text::prediction) {
            page.paragraph("  ", &format!("{}: {prediction}", row.entry));
        }
    }
    for row in &case.rows {
        if let Some(failure) = &row.failure {
            let what = format!("{}: {}", row.entry, failure.kind);
            page.paragraph_led_by("  ", (&what, style(row)), &format!(": {}", failure.reason));
        }
    }
    for row in &case.rows {
        if let Some(why) = &row.missing {
            page.paragraph("  ", &format!("{}: not measured: {why}", row.entry));
        }
    }
    for note in &case.notes {
        page.paragraph("  ", &format!("note: {note}"));
    }
}

fn cells(case: &CaseReport, row: &Row) -> Vec<Cell> {
    let numbers = row.numbers.as_ref().expect("only rows with numbers are shown");
    vec![
        Cell::plain(text::name(row)),
        Cell::plain(text::shown(case.metric, numbers.value)),
        Cell::plain(text::ratio(case, row, By::Metric)),
        Cell::new(text::short_verdict(row), style(row)),
        Cell::plain(or_dash(numbers.limit_share, |share| share.shown(Scale::Share))),
        Cell::plain(or_dash(numbers.cpu_ns_per_operation, |ns| ns.shown(Scale::Duration))),
        Cell::new(
            text::cpu_cell(case, &row.entry),
            style_of(numbers.cpu_verdict, numbers.cpu_ratio),
        ),
        Cell::plain(or_dash(numbers.peak_memory_bytes, |size| size.shown(Scale::Bytes))),
    ]
}

/// How the verdict on a row is shown; in words it is there anyway.
fn style(row: &Row) -> Style {
    match (&row.failure, &row.numbers) {
        (Some(failure), _) if failure.kind == FailureKind::Unsupported => PLAIN,
        (Some(_), _) => BAD,
        (None, Some(numbers)) if row.is_contestant() => style_of(numbers.verdict, numbers.ratio),
        (None, _) => PLAIN,
    }
}

fn style_of(verdict: Option<Verdict>, ratio: Option<Figure>) -> Style {
    match (verdict, ratio.map(|ratio| ratio.estimate)) {
        (Some(Verdict::Best | Verdict::Tied | Verdict::Alone), _) => GOOD,
        (Some(Verdict::Undecided), _) => OPEN,
        (Some(Verdict::Slower), Some(GRAVE..)) => BAD,
        (Some(Verdict::Slower), Some(NOTICEABLE..)) => SLOWER,
        (Some(Verdict::Slower) | None, _) => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use protocol::How;
    use protocol::{Failure, FailureKind};

    use anstream::adapter::strip_str;
    use textwrap::core::display_width;

    use crate::terminal::Look;
    use crate::{markdown, terminal};
    use analysis::Report;
    use analysis::fixtures::{run, walls};
    use record::journal::Outcome;

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

    /// With names that are too long, too wide or not printable.
    fn odd() -> Report {
        let long = "a-name-that-nobody-would-give-to-a-strategy/and-a-variant-that-is-no-shorter";
        let failure = Failure::new(FailureKind::Crashed, "\x1b[5mgone\r\n\x07");
        let fair = || How::fair("form", "https://a");
        Report::of(&run(
            "map",
            &[
                (long, walls(&[1_000_000, 1_010_000, 990_000], fair())),
                ("日本語の名前を持つ戦略はここにも幅を取りすぎる", walls(&[1_500_000; 3], fair())),
                ("\x1b[5mblink", walls(&[4_000_000, 4_010_000, 4_030_000], fair())),
                ("smol", vec![Outcome::Failed(failure)]),
            ],
        ))
    }

    fn plain(columns: usize) -> Look {
        Look { columns, colour: false }
    }

    #[test]
    fn the_report_for_a_terminal() {
        insta::assert_snapshot!(terminal::render(&example(), plain(100)));
    }

    #[test]
    fn the_report_for_a_narrow_terminal() {
        insta::assert_snapshot!(terminal::render(&example(), plain(60)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_cell_is_lost() {
        let words = |text: &str| -> std::collections::BTreeSet<String> {
            text.split_whitespace().map(str::to_owned).collect()
        };
        let all = words(&terminal::render(&example(), plain(100)));
        for width in [40, 41, 60, 80, 100] {
            let text = terminal::render(&example(), plain(width));
            assert!(text.lines().all(|line| display_width(line) <= width), "{text}");
            assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
            assert_eq!(words(&text), all, "{text}");
            let text = terminal::render(&odd(), plain(width));
            assert!(text.lines().all(|line| display_width(line) <= width), "{text}");
            assert!(text.contains("a-name"), "{text}");
        }
    }

    #[test]
    fn colour_adds_nothing_but_escapes_and_lets_none_of_a_worker_through() {
        for report in [example(), odd()] {
            for columns in [40, 100] {
                let bare = terminal::render(&report, plain(columns));
                let coloured = terminal::render(&report, Look { columns, colour: true });
                assert!(!bare.contains('\x1b'), "{bare}");
                assert_eq!(strip_str(&coloured).to_string(), bare);
                assert!(!coloured.contains("\x1b[5m"), "{coloured}");
            }
        }
        let coloured = terminal::render(&example(), Look { columns: 100, colour: true });
        for painted in [
            "\x1b[1mmap\x1b[0m — ",
            "\x1b[32mbest\x1b[0m",
            "\x1b[33m1.31×\x1b[0m",
            "\x1b[33m≥ 1.24× threads\x1b[0m",
            "\x1b[31mtimeout\x1b[0m",
            "  \x1b[31msmol: timeout\x1b[0m: no answer",
            " misuse ",
            "\x1b[1mWhat mistakes cost\x1b[0m — ",
        ] {
            assert!(coloured.contains(painted), "{painted:?} in {coloured}");
        }
    }

    #[test]
    fn the_report_in_markdown() {
        insta::assert_snapshot!(markdown::render(&example()));
    }
}
