//! From a run to what people read: a [`Report`] is a pure function of the journal, and every format
//! renders it without computing anything.

use std::fs;
use std::path::Path;

use anyhow::Context;

mod assemble;
mod columns;
mod comparison;
mod csv;
mod curves;
pub(crate) mod exports;
mod html;
pub(crate) mod layout;
pub(crate) mod markdown;
mod misuses;
mod model;
mod noise;
mod reproduce;
mod rounding;
mod rows;
mod sessions;
pub(crate) mod splice;
mod suits;
pub(crate) mod summary;
pub(crate) mod terminal;
pub(crate) mod text;
mod wakeups;

#[cfg(test)]
pub(crate) use assemble::tests;
pub(crate) use model::Report;

/// A file that a run's folder gets. To add a format, add a variant, its file name, and a module that
/// renders it.
#[derive(Debug, Clone, Copy)]
enum Format {
    Html,
    Markdown,
    Csv,
    Json,
}

impl Format {
    const ALL: [Format; 4] = [Format::Html, Format::Markdown, Format::Csv, Format::Json];

    fn file(self) -> &'static str {
        match self {
            Format::Html => "report.html",
            Format::Markdown => "comparison.md",
            Format::Csv => "comparison.csv",
            Format::Json => "summary.json",
        }
    }

    fn render(self, report: &Report) -> anyhow::Result<String> {
        match self {
            Format::Html => Ok(html::render(report)),
            Format::Markdown => Ok(markdown::render(report)),
            Format::Csv => csv::render(report),
            Format::Json => Ok(summary::render(report)),
        }
    }
}

/// Writes every format into the run's folder.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(report: &Report, folder: &Path) -> anyhow::Result<()> {
    for format in Format::ALL {
        let path = folder.join(format.file());
        fs::write(&path, format.render(report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
