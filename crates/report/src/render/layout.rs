//! Lines that are no wider than the terminal: paragraphs that wrap, and tables that come in blocks of columns.

use std::io::IsTerminal;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use textwrap::core::display_width;

use protocol::clean;

/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// Narrower tables would hold a column or none.
const LEAST_COLUMNS: usize = 40;
/// Spaces before a table, and between its columns.
const GAP: usize = 2;
/// Spaces between columns that would not fit otherwise.
const LEAST_GAP: usize = 1;

pub(crate) const PLAIN: Style = Style::new();
const TITLE: Style = Style::new().bold();

/// What the reader's terminal shows.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// How wide it is, characters.
    pub columns: usize,
    /// Whether it shows colours.
    pub colour: bool,
}

impl Look {
    /// What suits standard output.
    pub fn of_stdout() -> Self {
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

/// A cell of a table: tamed text, and how it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>, style: Style) -> Self {
        Cell { text: clean(text.as_ref()), style }
    }
}

/// What has been written so far. Styles are put in after the layout, which measures bare text.
pub(crate) struct Page {
    pub(crate) look: Look,
    pub(crate) text: String,
}

impl Page {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Leaves a line empty, unless one is.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.blank();
        }
    }

    /// Writes a title with what follows it on the line.
    pub(crate) fn section(&mut self, title: &str, rest: &str) {
        self.gap();
        self.paragraph_led_by("", (title, TITLE), rest);
    }

    /// Writes a tame line of a drawing as it is.
    pub(crate) fn verbatim(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.blank();
    }

    /// Writes text on lines that fit, tamed.
    pub(crate) fn paragraph(&mut self, indent: &str, text: &str) {
        self.paragraph_led_by(indent, ("", PLAIN), text);
    }

    /// The same with a beginning in a style of its own.
    pub(crate) fn paragraph_led_by(
        &mut self,
        indent: &str,
        (lead, style): (&str, Style),
        text: &str,
    ) {
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
    pub(crate) fn table(&mut self, rows: &[Vec<Cell>]) {
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
pub fn cut(text: &str, columns: usize) -> String {
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
    use super::*;

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
}
