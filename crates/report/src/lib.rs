//! From a run to what people read: a [`Report`] is a pure function of the journal, and every format
//! renders it without computing anything.

use std::fs;
use std::path::Path;

use analysis::Report;
use anyhow::Context;

mod csv;
mod document;
pub mod exports;
#[cfg(test)]
mod properties;
mod render;
mod rounding;
mod sections;
pub mod splice;
pub mod summary;
pub mod text;

pub use render::{layout, markdown, terminal};

/// A file that a run's folder gets. To add a format, add a variant, its file name, and a module that
/// renders it.
#[derive(Debug, Clone, Copy)]
enum Format {
    Html,
    Markdown,
    Csv,
    Json,
    /// Where something was to be decided.
    Decision,
    /// The same.
    DecisionJson,
}

impl Format {
    const ALL: [Format; 6] = [
        Format::Html,
        Format::Markdown,
        Format::Csv,
        Format::Json,
        Format::Decision,
        Format::DecisionJson,
    ];

    fn file(self) -> &'static str {
        match self {
            Format::Html => "report.html",
            Format::Markdown => "comparison.md",
            Format::Csv => "comparison.csv",
            Format::Json => "summary.json",
            Format::Decision => "decision.md",
            Format::DecisionJson => "decision.json",
        }
    }

    /// `None` where the report has nothing of the kind.
    fn render(self, report: &Report) -> anyhow::Result<Option<String>> {
        Ok(match self {
            Format::Html => Some(render::html::render(&sections::document(report))),
            Format::Markdown => Some(markdown::render(&sections::document(report))),
            Format::Csv => Some(csv::render(report)?),
            Format::Json => Some(summary::render(report)),
            Format::Decision => {
                sections::decision::record(report).map(|record| markdown::render(&record))
            }
            Format::DecisionJson => summary::decision(report),
        })
    }
}

/// Writes every format into the run's folder.
///
/// # Errors
/// If a file cannot be written.
pub fn write(report: &Report, folder: &Path) -> anyhow::Result<()> {
    for format in Format::ALL {
        let Some(text) = format.render(report)? else { continue };
        let path = folder.join(format.file());
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
