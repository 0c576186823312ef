//! The report for a terminal: no wider than it, and in colour where that is wanted.

use std::io::IsTerminal;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use worker::protocol::FailureKind;
use worker::units::{self, Scale};

use super::model::{CaseReport, Report, Row};
use super::text::{self, clean, interval, or_dash};
use super::{misuses, wakeups};
use crate::figure::Figure;
use crate::judge::Verdict;

/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// Narrower tables would hold a column or none.
const LEAST_COLUMNS: usize = 40;
/// Spaces before a table, and between its columns.
const GAP: usize = 2;
/// Spaces between columns that would not fit otherwise.
const LEAST_GAP: usize = 1;

/// Ratios from which being slower is yellow, and red.
const NOTICEABLE: f64 = 1.1;
const GRAVE: f64 = 3.0;

const PLAIN: Style = Style::new();
const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const SLOWER: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = Style::new().dimmed();

/// What the reader's terminal shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) columns: usize,
    pub(crate) colour: bool,
}

impl Look {
    /// What suits standard output.
    pub(crate) fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal().then(|| terminal_size::terminal_size_of(&stdout));
        let terminal = terminal.flatten().map(|(width, _)| width.0.into());
        Look {
            columns: columns(std::env::var("COLUMNS").ok().as_deref(), terminal),
            colour: AutoStream::choice(&stdout) != ColorChoice::Never,
        }
    }
}

/// Columns to write in, where the variable COLUMNS and the terminal say this much.
fn columns(variable: Option<&str>, terminal: Option<usize>) -> usize {
    let asked = variable.and_then(|text| text.parse().ok()).filter(|&columns: &usize| columns > 0);
    asked.or(terminal).unwrap_or(MOST_COLUMNS).clamp(LEAST_COLUMNS, MOST_COLUMNS)
}

/// The whole report as text.
pub(crate) fn render(report: &Report, look: Look) -> String {
    let mut page = Page { look, text: String::new() };
    if let Some(banner) = report.noise.banner() {
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
    page.table(&matrix(report));
    page.blank();
    page.paragraph("", text::LEGEND);
    if report.contestants().any(|entry| entry == "async-std") {
        page.paragraph("", text::ASYNC_STD);
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
        let lines = curves.lines.iter().map(super::curves::Line::cells);
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
    for note in &case.notes {
        page.paragraph("  ", &format!("note: {note}"));
    }
}

fn cells(case: &CaseReport, row: &Row) -> Vec<Cell> {
    let numbers = row.numbers.as_ref().expect("only rows with numbers are shown");
    vec![
        Cell::plain(text::name(row)),
        Cell::plain(text::shown(case.metric, numbers.value)),
        Cell::plain(or_dash(numbers.ratio, interval)),
        Cell::new(text::verdict(row), style(row)),
        Cell::plain(or_dash(numbers.limit_share, |share| share.shown(Scale::Share))),
        Cell::plain(or_dash(numbers.cpu_ns_per_operation, |ns| ns.shown(Scale::Duration))),
        Cell::new(
            text::cpu_cell(case, &row.entry),
            style_of(numbers.cpu_verdict, numbers.cpu_ratio),
        ),
        Cell::plain(or_dash(numbers.peak_memory_bytes, |size| units::bytes(size as f64))),
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

/// A cell of a table: tamed text, and how it is shown.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    fn new(text: impl AsRef<str>, style: Style) -> Self {
        Cell { text: clean(text.as_ref()), style }
    }

    fn plain(text: impl AsRef<str>) -> Self {
        Cell::new(text, PLAIN)
    }
}

fn plain_cells<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<Cell> {
    texts.into_iter().map(Cell::plain).collect()
}

/// What has been written so far. Styles are put in after the layout, which measures bare text.
struct Page {
    look: Look,
    text: String,
}

impl Page {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn section(&mut self, title: &str, introduction: &str) {
        self.blank();
        self.paragraph_led_by("", (title, TITLE), &format!(" — {introduction}"));
    }

    /// Writes text on lines that fit, tamed.
    fn paragraph(&mut self, indent: &str, text: &str) {
        self.paragraph_led_by(indent, ("", PLAIN), text);
    }

    /// The same with a beginning in a style of its own.
    fn paragraph_led_by(&mut self, indent: &str, (lead, style): (&str, Style), text: &str) {
        let options = textwrap::Options::new(self.look.columns)
            .initial_indent(indent)
            .subsequent_indent(indent);
        let lead = clean(lead);
        let mut lead = lead.as_str();
        for line in textwrap::wrap(&clean(&format!("{lead}{text}")), options) {
            let line = line.strip_prefix(indent).unwrap_or(&line);
            // The lead itself may take several lines.
            let same = line.char_indices().zip(lead.chars()).take_while(|((_, a), b)| a == b);
            let (led, rest) =
                line.split_at(same.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0));
            lead = lead[led.len()..].trim_start();
            self.text.push_str(indent);
            self.paint(led, style);
            self.text.push_str(rest);
            self.blank();
        }
    }

    fn paint(&mut self, text: &str, style: Style) {
        if self.look.colour && !text.is_empty() {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(text);
        }
    }

    /// Draws columns, all but the first aligned to the right. What does not fit beside the first column goes
    /// into further blocks below, each beginning with that column again.
    fn table(&mut self, rows: &[Vec<Cell>]) {
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|c| display_width(&c.text)).max()
        };
        let widths: Vec<_> = (0..).map_while(width).collect();
        let Some((&first, others)) = widths.split_first() else { return };
        // Before a table is split, its columns move closer together.
        let whole =
            |gap: usize| GAP + first + others.iter().map(|width| gap + width).sum::<usize>();
        let gap = if whole(GAP) <= self.look.columns { GAP } else { LEAST_GAP };
        let room = self.look.columns - GAP;
        let widest = gap + others.iter().max().copied().unwrap_or(0);
        let first = first.min(room.saturating_sub(widest).max(room / 2));
        let room = room - first;
        let mut blocks = vec![(Vec::new(), 0)];
        for (column, &width) in widths.iter().enumerate().skip(1) {
            let width = width.min(room - gap);
            let (block, used) = blocks.last_mut().expect("there is one");
            if block.is_empty() || *used + gap + width <= room {
                block.push((column, width));
                *used += gap + width;
            } else {
                blocks.push((vec![(column, width)], gap + width));
            }
        }
        for (index, (block, _)) in blocks.iter().enumerate() {
            if index > 0 {
                self.blank();
            }
            for row in rows {
                self.line(row, first, block, gap);
            }
        }
    }

    /// Draws the first cell and those of a block, given by column and width.
    fn line(&mut self, row: &[Cell], first: usize, block: &[(usize, usize)], gap: usize) {
        // Spaces are owed until something follows, so that no line ends in them.
        let mut owed = GAP;
        for (column, width) in std::iter::once((0, first)).chain(block.iter().copied()) {
            let Some(Cell { text, style }) = row.get(column) else { continue };
            let text = cut(text, width);
            let space = width - display_width(&text);
            let (before, after) = if column == 0 { (0, space) } else { (space, 0) };
            owed += before;
            if !text.is_empty() {
                self.text.extend(std::iter::repeat_n(' ', owed));
                self.paint(&text, *style);
                owed = 0;
            }
            owed += after + gap;
        }
        self.blank();
    }
}

/// Text in no more columns than these, the last of which says that something is missing.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if display_width(&kept) >= columns {
            kept.pop();
            break;
        }
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use worker::How;
    use worker::protocol::{Failure, FailureKind};

    use anstream::adapter::strip_str;
    use textwrap::core::display_width;

    use super::{Look, columns, cut};
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
            "\x1b[33mslower\x1b[0m",
            "\x1b[31mtimeout\x1b[0m",
            "  \x1b[31msmol: timeout\x1b[0m: no answer",
            " misuse ",
            "\x1b[1mWhat mistakes cost\x1b[0m — ",
        ] {
            assert!(coloured.contains(painted), "{painted:?} in {coloured}");
        }
    }

    #[test]
    fn the_width_is_what_columns_says_or_the_terminal_within_bounds() {
        assert_eq!(columns(Some("70"), Some(90)), 70);
        assert_eq!(columns(Some("0"), Some(90)), 90);
        assert_eq!(columns(Some("wide"), Some(90)), 90);
        assert_eq!(columns(None, Some(90)), 90);
        assert_eq!(columns(None, None), 100);
        assert_eq!(columns(Some("7"), None), 40);
        assert_eq!(columns(None, Some(300)), 100);
    }

    #[test]
    fn text_that_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(cut("rayon", 5), "rayon");
        assert_eq!(cut("rayon", 4), "ray…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("rayon", 1), "…");
        assert_eq!(cut("rayon", 0), "");
    }

    #[test]
    fn the_report_in_markdown() {
        insta::assert_snapshot!(markdown::render(&example()));
    }
}
