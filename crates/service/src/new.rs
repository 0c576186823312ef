//! `profile new`: a commented profile file made from an example.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use workloads::UsageError;

use crate::draft::{Changes, draft};
use crate::kinds::Kind;
use record::service::ServiceProfile;
use record::values;

/// What to write, and where.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Example to start from
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    changes: Changes,
    /// File to write, which must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes the file and returns what to print: the file itself, or where it is.
///
/// # Errors
/// If the values make no sense together, no example is named, or the file exists.
pub fn new(args: NewArgs) -> anyhow::Result<String> {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(exists(out).into());
    }
    let (kind, changes) = (args.kind.ok_or_else(no_kind)?, args.changes);
    let text = draft(kind, &changes);
    let service = match crate::parse(&text) {
        Ok(service) => service,
        Err(refusal) => return Err(refusal.in_command("profile new").into()),
    };
    let kept = kept(&service);
    let kept = match kept.is_empty() {
        true => String::new(),
        false => format!(
            "kept from the example {kind}, change or remove what is not yours: {}\n",
            kept.join("; ")
        ),
    };
    let Some(out) = args.out else {
        // The file itself goes to standard output; where standard error is closed, the comments have to do.
        let _ = write!(io::stderr(), "{kept}");
        return Ok(text);
    };
    write(&out, &text)?;
    let out = out.display();
    Ok(format!("written to {out}\n{kept}next: profile check {out}, then decide {out}\n"))
}

/// What comes from the example because no option is about it.
fn kept(service: &ServiceProfile) -> Vec<String> {
    let ServiceProfile { classes, limits, preferences, .. } = service;
    let mut kept = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        let share = format!("{} % of the requests", f64::from(class.per_mille) / 10.0);
        let blocking = if class.blocking { ", blocking" } else { "" };
        if index > 0 || classes.len() > 1 || class.blocking {
            kept.push(format!("class {} ({share}{blocking})", class.name));
        }
    }
    kept.extend(limits.memory_bytes.map(|most| format!("limits.memory {}", values::size(most))));
    kept.extend(limits.threads.map(|most| format!("limits.threads {most}")));
    let flags = [
        ("maintained_only", preferences.maintained_only),
        ("no_async", preferences.no_async),
        ("callable_from_sync", preferences.callable_from_sync),
    ];
    let set = flags.iter().filter(|(_, set)| *set);
    kept.extend(set.map(|(name, _)| format!("preferences.{name}")));
    for (name, entries) in [("order", &preferences.order), ("exclude", &preferences.exclude)] {
        if !entries.is_empty() {
            kept.push(format!("preferences.{name} {}", entries.join(", ")));
        }
    }
    kept
}

fn no_kind() -> UsageError {
    let kinds: Vec<_> = Kind::value_variants().iter().map(Kind::to_string).collect();
    UsageError(format!("profile new: give the example to start from: --kind {}", kinds.join("|")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_named() {
        let of = |kind: Kind| kept(&crate::parse(kind.text()).unwrap()).join("; ");
        for kind in Kind::value_variants() {
            let service = crate::parse(kind.text()).unwrap();
            let kept = of(*kind);
            for class in &service.classes[1..] {
                assert!(kept.contains(&format!("class {}", class.name)), "{kind}: {kept}");
            }
            assert_eq!(kept.contains("limits.memory"), service.limits.memory_bytes.is_some());
            assert_eq!(kept.contains("limits.threads"), service.limits.threads.is_some());
            assert_eq!(kept.contains("order"), !service.preferences.order.is_empty());
        }
    }
}
