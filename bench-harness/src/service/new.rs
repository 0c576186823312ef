//! `profile new`: a commented profile file made from an example.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use worker::selection::UsageError;

use super::ServiceProfile;
use super::ask::Dialogue;
use super::draft::{Changes, draft};
use super::kinds::Kind;

/// What to write, and where.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Example to start from [default: asks a few questions on the terminal]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    changes: Changes,
    /// File to write, which must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Changes {
    /// Whether nothing is left to be asked.
    pub(super) fn is_complete(&self) -> bool {
        let Changes { name, connections, rate, wait, cpu, payload, p99, optimise } = self;
        let numbers = connections.is_some() && rate.is_some() && payload.is_some();
        let times = wait.is_some() && cpu.is_some() && p99.is_some();
        name.is_some() && optimise.is_some() && numbers && times
    }
}

/// Makes the file and returns what to print: the file itself, or where it is.
///
/// # Errors
/// If the values make no sense together, there is nobody to ask, or the file exists.
pub(crate) fn new(args: NewArgs) -> anyhow::Result<String> {
    // Before anybody answers questions in vain.
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(exists(out).into());
    }
    let (kind, changes) = match args.kind {
        Some(kind) => (kind, args.changes),
        None if io::stdin().is_terminal() => {
            let mut dialogue = Dialogue { answers: io::stdin().lock(), questions: io::stderr() };
            dialogue.hold(&args.changes)?
        }
        None => return Err(nobody_to_ask().into()),
    };
    let text = draft(kind, &changes);
    if let Err(refusal) = ServiceProfile::parse(&text) {
        return Err(refusal.in_command("profile new").into());
    }
    let Some(out) = args.out else { return Ok(text) };
    write(&out, &text)?;
    Ok(format!("written to {}\n", out.display()))
}

fn nobody_to_ask() -> UsageError {
    let kinds: Vec<_> = Kind::value_variants().iter().map(Kind::to_string).collect();
    let kinds = kinds.join(", ");
    UsageError(format!(
        "profile new: standard input is no terminal to ask on: give --kind ({kinds})"
    ))
}

fn exists(out: &Path) -> UsageError {
    UsageError(format!("--out {}: exists already: give another name or remove it", out.display()))
}

fn write(out: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = File::create_new(out).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(out),
        _ => UsageError(format!(
            "--out {}: {error}: give a file in a folder that can be written to",
            out.display()
        )),
    })?;
    file.write_all(text.as_bytes()).with_context(|| {
        // Half a profile is none.
        let _ = fs::remove_file(out);
        format!("cannot write to {}", out.display())
    })
}
