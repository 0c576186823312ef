//! A document in Markdown: `comparison.md` and `decision.md`.

use analysis::Report;
use protocol::clean;

use crate::document::{
    Block, Document, Figure, Kind, Medium, Section, Span, Table, Text, shown, tamed,
};
use crate::{render::map, sections};

/// The matrix of workload × strategy with its legend, and what suits what: what README shows.
pub fn overview(report: &Report) -> String {
    finished(sections::overview(report).iter().flat_map(section).collect())
}

/// The whole document.
pub(crate) fn render(document: &Document) -> String {
    let mut out = vec![format!("# {}", escape(&document.title))];
    out.extend(blocks(&document.head, "##"));
    out.extend(document.sections.iter().flat_map(section));
    finished(out)
}

fn finished(blocks: Vec<String>) -> String {
    format!("{}\n", blocks.join("\n\n"))
}

fn section(section: &Section) -> Vec<String> {
    let mut out = Vec::new();
    let titled = section.titled.contains(&Medium::Markdown);
    if !section.shown.contains(&Medium::Markdown) {
        return out;
    }
    if titled {
        out.push(format!("## {}", escape(&section.title)));
        out.extend(section.lead.as_ref().map(inline));
    }
    // Parts of a section without a title are sections themselves.
    out.extend(blocks(&section.blocks, if titled { "###" } else { "##" }));
    out
}

fn blocks(blocks: &[Block], level: &str) -> Vec<String> {
    shown(blocks, Medium::Markdown).into_iter().filter_map(|b| block(b, level)).collect()
}

fn block(block: &Block, level: &str) -> Option<String> {
    let lines = |start: &str, texts: &[Text]| -> String {
        let lines: Vec<_> = texts.iter().map(|text| format!("{start} {}", inline(text))).collect();
        lines.join("\n")
    };
    Some(match block {
        Block::Heading(title, lead) => {
            let lead = lead.as_ref().map(|lead| format!("\n\n{}", inline(lead)));
            format!("{level} {}{}", inline(title), lead.unwrap_or_default())
        }
        Block::Label(text) => format!("{}:", inline(text)),
        Block::Paragraph(text) | Block::Meta(text) => inline(text),
        Block::Banner(text) => format!("> **{}**", escape(text)),
        Block::Notes(notes) => lines(">", notes),
        Block::List(items) => lines("-", items),
        Block::Table(of) => table(of),
        Block::Figure(Figure::Map(chart)) => {
            let meanings: Vec<_> = map::legend(chart).into_iter().map(Text::from).collect();
            let drawing = map::drawing(chart, usize::MAX).join("\n");
            format!("{}\n\n{}", fenced(&drawing), lines("-", &meanings))
        }
        Block::Key { lead, meanings, .. } => {
            let meanings: Vec<_> = meanings.iter().map(|(_, text)| text.as_str()).collect();
            escape(&format!("{lead} {}.", meanings.join("; ")))
        }
        Block::Code(text) => fenced(text),
        Block::Figure(_) | Block::Sources(..) => return None,
        Block::Details(_, inside) | Block::Group(_, inside) | Block::Only(_, inside) => {
            blocks(inside, level).join("\n\n")
        }
    })
}

fn fenced(text: &str) -> String {
    format!("```\n{text}\n```")
}

fn inline(text: &Text) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) => escape(text),
        Span::Strong(_, text) => format!("**{}**", escape(text)),
        Span::Emphasis(text) => format!("*{}*", escape(text)),
        Span::Code(text) => code(text),
        Span::Link(_, to) => format!("<{}>", clean(to).replace(['<', '>', ' '], "")),
    };
    text.0.iter().map(span).collect()
}

fn code(text: &str) -> String {
    format!("`{}`", clean(text).replace('`', "'"))
}

fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let cells = |row: &Vec<crate::document::Cell>| {
        let cells = table.columns.iter().zip(row);
        line(
            cells
                .map(|(column, cell)| match column.kind {
                    Kind::Id => code(&cell.text),
                    _ => escape(&cell.text),
                })
                .collect(),
        )
    };
    let header = line(table.columns.iter().map(|column| escape(&column.name)).collect());
    let rule = line(vec!["---".to_owned(); table.columns.len()]);
    let rows = table.rows.iter().map(cells);
    [header, rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// Text from outside, so that it can neither break a table nor become markup.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in tamed(text).chars() {
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
