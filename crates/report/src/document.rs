//! What a report says, apart from how a format shows it: sections of blocks.

use analysis::case::Row;
use analysis::map::chart::Chart;
use analysis::text::By;
use judge::Verdict;
use protocol::units::Scale;
use protocol::{FailureKind, Standing, clean};

/// Where a document is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Terminal,
    Markdown,
    Page,
}

/// Media in which a block is shown.
pub(crate) type Media = &'static [Medium];
pub(crate) const TERMINAL: Media = &[Medium::Terminal];
pub(crate) const PAGE: Media = &[Medium::Page];
pub(crate) const TEXT: Media = &[Medium::Terminal, Medium::Markdown];
pub(crate) const FILES: Media = &[Medium::Markdown, Medium::Page];
pub(crate) const ALL: Media = &[Medium::Terminal, Medium::Markdown, Medium::Page];

pub(crate) struct Document {
    pub title: String,
    /// What stands before the first section.
    pub head: Vec<Block>,
    pub sections: Vec<Section>,
}

pub(crate) struct Section {
    /// Its id on the page.
    pub id: &'static str,
    pub title: String,
    /// Where it is shown, and where with its title.
    pub shown: Media,
    pub titled: Media,
    /// What follows its title.
    pub lead: Option<Text>,
    pub blocks: Vec<Block>,
}

impl Section {
    pub(crate) fn new(id: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Section { id, title: title.into(), shown: ALL, titled: ALL, lead: None, blocks }
    }

    pub(crate) fn lead(self, lead: impl Into<Text>) -> Self {
        Section { lead: Some(lead.into()), ..self }
    }
}

pub(crate) enum Block {
    /// The title of a part of a section, with what follows it.
    Heading(Text, Option<Text>),
    /// A heading over a list.
    Label(Text),
    Paragraph(Text),
    /// A paragraph about details.
    Meta(Text),
    /// What has to be known before anything else.
    Banner(String),
    /// What needs explaining.
    Notes(Vec<Text>),
    List(Vec<Text>),
    Table(Table),
    Figure(Figure),
    /// Lines to copy.
    Code(String),
    /// Source files by name, behind a summary.
    Sources(String, Vec<(String, String)>),
    /// What a page hides behind a summary.
    Details(String, Vec<Block>),
    /// What links lead to.
    Group(Group, Vec<Block>),
    /// What the colours and words of a table mean: a sentence, the meanings, and those of mere colours.
    Key {
        lead: String,
        meanings: Vec<(Tone, String)>,
        colours: Vec<(Tone, String)>,
    },
    /// What is not shown everywhere.
    Only(Media, Vec<Block>),
}

/// A part of a section with an id.
pub(crate) enum Group {
    /// By its name.
    Workload(String),
    /// By its id.
    Case(String),
}

impl Group {
    /// The id on the page.
    pub(crate) fn anchor(&self) -> String {
        let (kind, name) = match self {
            Group::Workload(name) => ("workload", name),
            Group::Case(id) => ("case", id),
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        format!("{kind}-{}", name.chars().map(plain).collect::<String>())
    }
}

/// The blocks that a medium shows.
pub(crate) fn shown<'a>(blocks: &'a [Block], medium: Medium) -> Vec<&'a Block> {
    let of = |block: &'a Block| match block {
        Block::Only(media, _) if !media.contains(&medium) => Vec::new(),
        Block::Only(_, inside) => shown(inside, medium),
        Block::List(items) | Block::Notes(items) if items.is_empty() => Vec::new(),
        block => vec![block],
    };
    blocks.iter().flat_map(of).collect()
}

pub(crate) fn paragraph(text: impl Into<Text>) -> Block {
    Block::Paragraph(text.into())
}

/// A list; no block where it is empty.
pub(crate) fn list<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Block {
    Block::List(items.into_iter().map(Into::into).collect())
}

/// Text, raw: every renderer tames and escapes it.
#[derive(Default)]
pub(crate) struct Text(pub Vec<Span>);

pub(crate) enum Span {
    Plain(String),
    /// In a colour where it leads its line.
    Strong(Tone, String),
    Emphasis(String),
    Code(String),
    /// The address is that of a web page.
    Link(&'static str, String),
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Text::default().plain(text)
    }
}

impl Text {
    pub(crate) fn strong(text: impl Into<String>) -> Self {
        Text::lead(Tone::None, text)
    }

    pub(crate) fn lead(tone: Tone, text: impl Into<String>) -> Self {
        Text(vec![Span::Strong(tone, text.into())])
    }

    pub(crate) fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Plain(text.into()));
        self
    }

    pub(crate) fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Code(text.into()));
        self
    }
}

/// Text from outside, made harmless for a terminal; spaces at its ends stay, because more of a line may be there.
pub(crate) fn tamed(text: &str) -> String {
    let end = |has: bool| if has { " " } else { "" };
    let (before, after) = (text.starts_with(' '), text.ends_with(' '));
    format!("{}{}{}", end(before), clean(text), end(after))
}

/// Rows of cells below typed columns.
pub(crate) struct Table {
    pub caption: String,
    /// Without names where none needs one.
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// The group of each row, in the order in which a page shows groups; none in most tables.
    pub groups: Vec<(String, Vec<usize>)>,
}

pub(crate) struct Column {
    pub name: String,
    pub kind: Kind,
    /// A warning below the name: the word, and why.
    pub flag: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Words,
    /// An identifier.
    Id,
    Number,
    /// In the colour of its tone.
    Verdict,
}

#[derive(Default)]
pub(crate) struct Cell {
    pub text: String,
    /// What it is sorted by.
    pub sort: Option<f64>,
    pub tone: Tone,
    /// More about it.
    pub title: Option<String>,
    /// The id that it leads to.
    pub link: Option<String>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell { text: text.into(), ..Cell::default() }
    }
}

impl Table {
    pub(crate) fn new<T: Into<Cell>>(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = (impl Into<String>, Kind)>,
        rows: impl IntoIterator<Item = Vec<T>>,
    ) -> Self {
        let column = |(name, kind): (_, _)| Column { name: Into::into(name), kind, flag: None };
        let row = |row: Vec<T>| row.into_iter().map(Into::into).collect();
        Table {
            caption: caption.into(),
            columns: columns.into_iter().map(column).collect(),
            rows: rows.into_iter().map(row).collect(),
            groups: Vec::new(),
        }
    }
}

/// How a cell stands, for its colour; in words it is there anyway.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Tone {
    Best,
    Tied,
    Alone,
    Undecided,
    /// By this ratio.
    Slower(f64),
    Misuse,
    Failed,
    #[default]
    None,
}

impl Tone {
    pub(crate) fn of(row: &Row, by: By) -> Self {
        match (&row.failure, &row.numbers) {
            (Some(failure), _) if by == By::Metric && failure.kind != FailureKind::Unsupported => {
                Tone::Failed
            }
            (Some(_), _) => Tone::None,
            (None, _) if !row.is_contestant() => Tone::Misuse,
            (None, Some(numbers)) => match by.of(numbers) {
                (Some(Verdict::Best), ..) => Tone::Best,
                (Some(Verdict::Tied), ..) => Tone::Tied,
                (Some(Verdict::Alone), ..) => Tone::Alone,
                (Some(Verdict::Undecided), ..) => Tone::Undecided,
                (Some(Verdict::Slower), Some(ratio), _) => Tone::Slower(ratio.estimate),
                _ => Tone::None,
            },
            (None, None) => Tone::None,
        }
    }
}

/// A drawing with its data. Only a map is drawn with characters too: beside every other there is a table.
pub(crate) enum Figure {
    Dots(Dots),
    Curves(Curves),
    Map(Box<Chart>),
}

/// Typical values with their intervals, observations and predictions, a line each.
pub(crate) struct Dots {
    pub caption: String,
    pub scale: Scale,
    /// However near the values are.
    pub logarithmic: bool,
    pub rows: Vec<Dot>,
    /// A value that all are held against, and what it is.
    pub limit: Option<(f64, &'static str)>,
}

pub(crate) struct Dot {
    pub name: String,
    pub mark: Mark,
    /// The dot, and the line through it.
    pub value: judge::Figure,
    /// A tick each.
    pub observations: Vec<f64>,
    /// A ring.
    pub predicted: Option<f64>,
}

impl Dot {
    pub(crate) fn named(entry: &str, value: judge::Figure) -> Self {
        let (name, mark) = (entry.to_owned(), Mark::named(entry));
        Dot { name, mark, value, observations: Vec::new(), predicted: None }
    }

    /// Of an entry, by its name.
    pub(crate) fn of(row: &Row, value: judge::Figure) -> Self {
        Dot { mark: Mark::of(row), ..Dot::named(&row.entry, value) }
    }
}

/// The entry whose colour and mark is drawn, hollow where it is not the fair form.
pub(crate) struct Mark {
    pub entry: String,
    pub hollow: bool,
}

impl Mark {
    pub(crate) fn named(entry: &str) -> Self {
        Mark { entry: entry.to_owned(), hollow: false }
    }

    pub(crate) fn of(row: &Row) -> Self {
        Mark { entry: row.entry.clone(), hollow: row.standing == Some(Standing::Misuse) }
    }
}

/// Curves over values whose names stand below.
pub(crate) struct Curves {
    pub caption: String,
    pub scale: Scale,
    /// What the values are, with their names and places, from 0 to 1.
    pub across: String,
    pub names: Vec<(f64, String)>,
    pub lines: Vec<Curve>,
}

/// A curve with its points: where along the axis, from 0 to 1, and how high.
pub(crate) struct Curve {
    pub mark: Mark,
    pub points: Vec<(f64, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_tamed_and_keeps_its_distance() {
        assert_eq!(tamed(" (\x1b[5mgone\x07\r\nby "), " ([5mgone by ");
        assert_eq!(tamed("\u{202e}evil"), "evil");
    }

    #[test]
    fn a_medium_shows_its_own_blocks_and_no_empty_list() {
        let blocks = [
            Block::Only(
                FILES,
                vec![Block::Only(PAGE, vec![paragraph("page")]), paragraph("files")],
            ),
            list(Vec::<String>::new()),
            paragraph("all"),
        ];
        let counts = ALL.iter().map(|medium| shown(&blocks, *medium).len());
        assert_eq!(counts.collect::<Vec<_>>(), [1, 2, 3]);
    }
}
