//! A document as one page that needs nothing else, neither network nor script, to say everything.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use protocol::clean;
use record::models::{self, Model};

mod axis;
mod charts;
mod map;

use crate::document::{
    Block, Cell, Column, Document, Figure, Group, Kind, Medium, Section, Span, Table, Text, Tone,
    shown, tamed,
};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Nothing is fetched, whatever a text that got here may say.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// Ratios from which on a colour is darker.
const STEPS: [f64; 4] = [1.1, 1.5, 3.0, 10.0];

/// The whole page.
pub(crate) fn render(document: &Document) -> String {
    let title = clean(&document.title);
    let sections: Vec<_> =
        document.sections.iter().filter(|s| s.shown.contains(&Medium::Page)).collect();
    let links = sections.iter().map(|section| (section.id.to_owned(), section.title.as_str()));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(colours())) }
            }
            body {
                a.skip href="#content" { "Skip to the answer" }
                (charts::marks())
                header {
                    h1 { (title) }
                    (blocks(&document.head))
                    (contents("Sections", links))
                }
                main id="content" { @for section in &sections { (self::section(section)) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The colours of the strategies, on light paper and on dark.
fn colours() -> String {
    let variables = |paper: usize| -> String {
        let one = |model: &Model| format!("--{}:{};", model.name, model.colours[paper]);
        models::MODELS.iter().map(one).collect()
    };
    let class = |model: &Model| format!(".s-{0}{{color:var(--{0})}}\n", model.name);
    let classes: String = models::MODELS.iter().map(class).collect();
    let (light, dark) = (variables(0), variables(1));
    format!(":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n{classes}")
}

fn contents<'a>(name: &str, links: impl Iterator<Item = (String, &'a str)>) -> Markup {
    html! {
        nav aria-label=(name) {
            ul { @for (id, name) in links { li { a href={ "#" (id) } { (clean(name)) } } } }
        }
    }
}

fn section(section: &Section) -> Markup {
    let workloads: Vec<_> = section
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Group(group @ Group::Workload(name), _) => Some((group.anchor(), name.as_str())),
            _ => None,
        })
        .collect();
    html! {
        section id=(section.id) {
            h2 { (clean(&section.title)) }
            @if !workloads.is_empty() { (contents("Workloads", workloads.into_iter())) }
            @if let Some(lead) = &section.lead { p { (inline(lead)) } }
            (blocks(&section.blocks))
        }
    }
}

fn blocks(blocks: &[Block]) -> Markup {
    let blocks = shown(blocks, Medium::Page);
    // Figures that follow each other stand side by side.
    let figures = |a: &&Block, b: &&Block| matches!((a, b), (Block::Figure(_), Block::Figure(_)));
    html! {
        @for together in blocks.chunk_by(figures) {
            @if together.len() > 1 {
                div.charts { @for one in together { (block(one)) } }
            } @else {
                @for one in together { (block(one)) }
            }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Heading(title, lead) => {
                h3 { (inline(title)) }
                @if let Some(lead) = lead { p { (inline(lead)) } }
            },
            Block::Label(text) => { h3 { (inline(text)) } },
            Block::Paragraph(text) => { p { (inline(text)) } },
            Block::Meta(text) => { p.meta { (inline(text)) } },
            Block::Banner(text) => { p.banner role="note" { (clean(text)) } },
            Block::Notes(notes) => { ul.notes { @for note in notes { li { (inline(note)) } } } },
            Block::List(items) => { ul { @for item in items { li { (inline(item)) } } } },
            Block::Table(of) => { (table(of)) },
            Block::Figure(Figure::Dots(of)) => { (charts::dots(of)) },
            Block::Figure(Figure::Curves(of)) => { (charts::curves(of)) },
            Block::Figure(Figure::Map(chart)) => { (map::drawing(chart)) },
            Block::Code(text) => { pre tabindex="0" { code { (text) } } },
            Block::Sources(summary, files) => {
                details.code {
                    summary { (clean(summary)) }
                    @for (name, text) in files {
                        details { summary { (clean(name)) } pre tabindex="0" { code { (text.trim_end()) } } }
                    }
                }
            },
            Block::Details(summary, inside) => { details { summary { (clean(summary)) } (blocks(inside)) } },
            Block::Group(group @ Group::Workload(name), inside) => {
                section.workload id=(group.anchor()) { h2 { (clean(name)) } (blocks(inside)) }
            },
            Block::Group(group @ Group::Case(_), inside) => {
                article.case id=(group.anchor()) { (blocks(inside)) }
            },
            Block::Key { lead, meanings, colours } => {
                p { (lead) }
                ul.key aria-label="What the colours mean" {
                    @for (tone, meaning) in meanings.iter().chain(colours) {
                        li { span class={ "swatch " (class(*tone)) } {} (meaning) }
                    }
                }
            },
            Block::Only(_, inside) => { (blocks(inside)) },
        }
    }
}

fn inline(text: &Text) -> Markup {
    html! {
        @for span in &text.0 {
            @match span {
                Span::Plain(text) => { (tamed(text)) },
                Span::Strong(_, text) => { strong { (tamed(text)) } },
                Span::Emphasis(text) => { em { (tamed(text)) } },
                Span::Code(text) => { code { (clean(text)) } },
                Span::Link(name, to) => { a href=(to) { (name) } },
            }
        }
    }
}

/// The class of a cell.
fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Best => "best",
        Tone::Tied => "tied",
        Tone::Alone => "alone",
        Tone::Undecided => "undecided",
        Tone::Slower(ratio) => ["slower-0", "slower-1", "slower-2", "slower-3", "slower-4"]
            [STEPS.iter().filter(|step| ratio >= **step).count()],
        Tone::Misuse => "misuse",
        Tone::Failed => "failed",
        Tone::None => "none",
    }
}

fn table(of: &Table) -> Markup {
    let matrix = !of.groups.is_empty();
    let facts = of.columns.iter().all(|column| column.name.is_empty());
    let sortable = of.rows.iter().flatten().any(|cell| cell.sort.is_some());
    let name = clean(&of.caption);
    html! {
        div.scroll role="region" aria-label=(name) tabindex="0" {
            table.matrix[matrix].sortable[sortable].host[facts] {
                caption.hidden[!matrix] { (name) }
                @if !facts {
                    thead { tr { @for column in &of.columns { (header(column)) } } }
                }
                @if !matrix {
                    tbody { @for cells in &of.rows { (row(&of.columns, cells)) } }
                }
                @for (group, rows) in of.groups.iter().filter(|(_, rows)| !rows.is_empty()) {
                    tbody data-class=(group) {
                        tr.group { th scope="rowgroup" colspan=(of.columns.len()) { (group) } }
                        @for index in rows { (row(&of.columns, &of.rows[*index])) }
                    }
                }
            }
        }
    }
}

fn header(column: &Column) -> Markup {
    html! {
        th.words[is_words(column)] scope="col" {
            (clean(&column.name))
            @if let Some((word, why)) = column.flag { span.flag title=(why) { (word) } }
        }
    }
}

fn row(columns: &[Column], cells: &[Cell]) -> Markup {
    let text = |cell: &Cell| {
        html! {
            @match &cell.link {
                Some(id) => { a href={ "#" (id) } { (clean(&cell.text)) } },
                None => { (clean(&cell.text)) },
            }
        }
    };
    let class = |column: &Column, cell: &Cell| match column.kind {
        Kind::Verdict => Some(class(cell.tone)),
        _ => is_words(column).then_some("words"),
    };
    html! {
        tr {
            @for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
                @if index == 0 {
                    th scope="row" { (text(cell)) }
                } @else {
                    td class=[class(column, cell)] data-sort=[cell.sort] title=[cell.title.as_deref().map(clean)] { (text(cell)) }
                }
            }
        }
    }
}

fn is_words(column: &Column) -> bool {
    matches!(column.kind, Kind::Words | Kind::Id)
}
