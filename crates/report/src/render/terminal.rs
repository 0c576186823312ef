//! The report for a terminal, in colour where that is wanted.

use analysis::Report;
use anstyle::{AnsiColor, Style};

use crate::document::{Block, Figure, Medium, Span, Text, Tone, shown};
use crate::render::layout::{Cell, Look, PLAIN, Page};
use crate::{render::map, sections};

/// Ratios from which being slower is yellow, and red.
const NOTICEABLE: f64 = 1.1;
const GRAVE: f64 = 3.0;

const GOOD: Style = AnsiColor::Green.on_default();
const SLOWER: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = Style::new().dimmed();

/// The whole report as text.
pub fn render(report: &Report, look: Look) -> String {
    let document = sections::document(report);
    let mut out = Writer { page: Page { look, text: String::new() }, indent: "", labelled: false };
    out.blocks(&document.head);
    for section in document.sections.iter().filter(|s| s.shown.contains(&Medium::Terminal)) {
        if section.titled.contains(&Medium::Terminal) {
            out.title(&section.title, section.lead.as_ref());
        }
        out.blocks(&section.blocks);
    }
    out.page.text
}

struct Writer {
    page: Page,
    indent: &'static str,
    /// Whether a label stands above.
    labelled: bool,
}

impl Writer {
    fn title(&mut self, title: &str, lead: Option<&Text>) {
        let lead = lead.map_or_else(String::new, |lead| format!(" — {}", words(lead)));
        self.page.section(title, &lead);
        self.indent = "  ";
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in shown(blocks, Medium::Terminal) {
            self.block(block);
            self.labelled = matches!(block, Block::Label(_));
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(title, lead) => self.title(&words(title), lead.as_ref()),
            Block::Label(text) => self.page.paragraph(self.indent, &format!("{}:", words(text))),
            Block::Paragraph(text) | Block::Meta(text) => self.text(self.indent, text),
            Block::Banner(text) => {
                self.page.paragraph(self.indent, text);
                self.page.gap();
            }
            Block::Notes(notes) => notes.iter().for_each(|note| {
                self.page.paragraph(self.indent, &format!("note: {}", words(note)));
            }),
            Block::List(items) => {
                let indent = if self.labelled { "    " } else { self.indent };
                items.iter().for_each(|item| self.text(indent, item));
            }
            Block::Table(table) => {
                let header = table.columns.iter().map(|column| Cell::new(&column.name, PLAIN));
                let cell = |cell: &crate::document::Cell| Cell::new(&cell.text, style(cell.tone));
                let rows = table.rows.iter().map(|row| row.iter().map(cell).collect());
                let rows: Vec<_> = std::iter::once(header.collect()).chain(rows).collect();
                self.page.table(&rows);
            }
            Block::Figure(Figure::Map(chart)) => {
                self.page.gap();
                for line in map::drawing(chart, self.page.look.columns - 2) {
                    self.page.verbatim(&format!("  {line}"));
                }
                self.page.gap();
                let meanings = map::legend(chart);
                meanings.iter().for_each(|meaning| self.page.paragraph("  ", meaning));
                self.page.gap();
            }
            Block::Key { lead, meanings, .. } => {
                self.page.gap();
                let meanings: Vec<_> = meanings.iter().map(|(_, text)| text.as_str()).collect();
                self.page.paragraph(self.indent, &format!("{lead} {}.", meanings.join("; ")));
            }
            Block::Code(lines) => lines.lines().for_each(|line| self.page.verbatim(line)),
            Block::Figure(_) | Block::Sources(..) => {}
            Block::Details(_, inside) | Block::Group(_, inside) | Block::Only(_, inside) => {
                self.blocks(inside);
            }
        }
    }

    fn text(&mut self, indent: &str, text: &Text) {
        match text.0.split_first() {
            Some((Span::Strong(tone, lead), rest)) => {
                let rest: String = rest.iter().map(word).collect();
                self.page.paragraph_led_by(indent, (lead, style(*tone)), &rest);
            }
            _ => self.page.paragraph(indent, &words(text)),
        }
    }
}

fn words(text: &Text) -> String {
    text.0.iter().map(word).collect()
}

fn word(span: &Span) -> &str {
    match span {
        Span::Plain(text) | Span::Strong(_, text) | Span::Emphasis(text) => text,
        Span::Code(text) | Span::Link(_, text) => text,
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Best | Tone::Tied | Tone::Alone => GOOD,
        Tone::Undecided => OPEN,
        Tone::Slower(GRAVE..) | Tone::Failed => BAD,
        Tone::Slower(NOTICEABLE..) => SLOWER,
        Tone::Slower(_) | Tone::Misuse | Tone::None => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Failure, FailureKind, How};

    use anstream::adapter::strip_str;
    use textwrap::core::display_width;

    use super::*;
    use crate::{markdown, terminal};
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
        insta::assert_snapshot!(markdown::render(&sections::document(&example())));
    }
}
