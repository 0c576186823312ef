//! Where the strategies' executables come from: built one by one, or taken from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use launch::Description;
use serde_json::Value;
use workloads::UsageError;

use crate::cargo;
use crate::progress::Teller;
use record::Sources;
use record::program::Executable;
use record::program::Origin;

/// The strategies of this workspace, in the order of the report: packages `strategy-NAME`.
pub(crate) const STRATEGIES: [&str; 7] =
    ["threads", "rayon", "tokio", "async-std", "smol", "hybrid", "floor"];

const PREFIX: &str = "strategy-";

/// Where executables come from, and which of them are wanted.
#[derive(Debug)]
pub(crate) struct Source {
    bin_dir: Option<PathBuf>,
    strategies: Vec<String>,
}

/// A strategy's executable.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) strategy: String,
    pub(crate) path: PathBuf,
    /// Its variants; none if it does not speak the protocol.
    pub(crate) description: Description,
    /// BLAKE3 of the file, so that a run is not resumed with other code.
    pub(crate) hash: String,
    /// What the file tells of how it was made.
    pub(crate) executable: Executable,
}

impl Source {
    /// All strategies where none is named.
    ///
    /// # Errors
    /// If a named one does not exist.
    pub(crate) fn new(
        bin_dir: Option<PathBuf>,
        strategies: Vec<String>,
    ) -> Result<Self, UsageError> {
        let source = Source { bin_dir, strategies };
        let known = source.known()?;
        match source.strategies.iter().find(|name| !known.contains_key(*name)) {
            Some(name) => {
                let known: Vec<_> = known.into_keys().collect();
                let known = known.join(", ");
                let place = if source.bin_dir.is_some() { " in --bin-dir" } else { "" };
                Err(UsageError(format!(
                    "unknown strategy `{name}`: the strategies{place} are {known}"
                )))
            }
            None => Ok(source),
        }
    }

    /// The option that asks for the same programs, with a space before it; nothing where they are built.
    pub(crate) fn option(&self) -> String {
        let option = |folder: &PathBuf| format!(" --bin-dir {}", folder.display());
        self.bin_dir.as_ref().map_or_else(String::new, option)
    }

    /// Names, and paths where they are known before building.
    fn known(&self) -> Result<BTreeMap<String, PathBuf>, UsageError> {
        let Some(folder) = &self.bin_dir else {
            return Ok(STRATEGIES.map(|name| (name.to_owned(), PathBuf::new())).into());
        };
        let unusable = |why: &dyn std::fmt::Display| {
            UsageError(format!(
                "--bin-dir {}: {why}; give a folder with executables named {PREFIX}*",
                folder.display()
            ))
        };
        let mut known = BTreeMap::new();
        for file in fs::read_dir(folder).map_err(|error| unusable(&error))? {
            let path = file.map_err(|error| unusable(&error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let executable = fs::metadata(&path)
                .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
            if let Some(strategy) = name.strip_prefix(PREFIX).filter(|_| executable) {
                known.insert(strategy.to_owned(), path);
            }
        }
        if known.is_empty() {
            return Err(unusable(&"holds no strategy"));
        }
        Ok(known)
    }

    /// Where the programs come from; `None` where there is no workspace to build them in.
    pub(crate) fn origin(&self, root: Option<&Path>) -> Option<Origin> {
        match &self.bin_dir {
            Some(_) => Some(Origin::ReadyBuilt),
            None => root.map(|root| Origin::Built(crate::cargo::of_workspace(root))),
        }
    }

    /// The code of these programs, where they are built from it.
    pub(crate) fn code(&self, programs: &[Program]) -> Option<Sources> {
        let root = workspace_root().filter(|_| self.bin_dir.is_none())?;
        let names: Vec<_> = programs.iter().map(|program| program.strategy.as_str()).collect();
        Some(crate::sources::of_workspace(&root, &names))
    }

    /// Builds or finds the wanted executables and asks each for its variants.
    ///
    /// # Errors
    /// If one cannot be built or read.
    pub(crate) fn programs(&self, teller: Teller) -> anyhow::Result<Vec<Program>> {
        let known = self.known()?;
        let mut names: Vec<_> = known.keys().collect();
        names.sort_by_key(|name| {
            STRATEGIES.iter().position(|s| s == name).unwrap_or(STRATEGIES.len())
        });
        let wanted = |name: &&String| self.strategies.is_empty() || self.strategies.contains(name);
        names
            .into_iter()
            .filter(wanted)
            .map(|name| match &self.bin_dir {
                Some(_) => program(name, known[name].clone()),
                None => program(name, build(name, teller)?),
            })
            .collect()
    }
}

/// The BLAKE3 hash of a file, read in pieces: what the system allows may be less than the file.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn hash(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    Ok(blake3::Hasher::new().update_reader(file)?.finalize().to_hex().to_string())
}

fn program(strategy: &str, path: PathBuf) -> anyhow::Result<Program> {
    let unreadable = || format!("cannot read {}", path.display());
    let hash = hash(&path).with_context(unreadable)?;
    let executable =
        crate::executable::executable_of(fs::File::open(&path).with_context(unreadable)?);
    // A program that does not speak the protocol becomes rows that say so.
    let description = launch::describe(&path).unwrap_or_default();
    Ok(Program { strategy: strategy.to_owned(), path, description, hash, executable })
}

/// Builds one package by itself: built together, the features of all would unify and change what is
/// measured.
fn build(strategy: &str, teller: Teller) -> anyhow::Result<PathBuf> {
    let package = format!("{PREFIX}{strategy}");
    let root = workspace_root().ok_or_else(|| {
        UsageError("cannot find the workspace: run inside it, or give --bin-dir".to_owned())
    })?;
    let mut child = cargo::build(&root, &package)
        .args(teller.is_quiet().then_some("--quiet"))
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("cannot start cargo")?;
    let live = launch::Live::new(child.id());
    let messages = child.stdout.take().expect("standard output is piped");
    let mut executable = None;
    for line in std::io::BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["reason"] == "compiler-artifact" && message["target"]["name"] == *package {
            executable = message["executable"].as_str().map(PathBuf::from).or(executable);
        }
    }
    if !live.reap(&mut child)?.success() {
        bail!("cargo could not build {package}");
    }
    executable.with_context(|| format!("cargo named no executable of {package}"))
}

/// This program's own file, of which oracles, load generators and backends are started.
///
/// # Errors
/// If the system does not tell.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

/// The folder of this workspace: cargo's answer, or the nearest above the current folder.
pub(crate) fn workspace_root() -> Option<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let current = std::env::current_dir().ok();
    let is_root = |folder: &&Path| folder.join("bench-harness/Cargo.toml").is_file();
    [manifest, current]
        .into_iter()
        .flatten()
        .find_map(|start| start.ancestors().find(is_root).map(Path::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_strategies_is_the_list_of_folders() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let mut folders: Vec<_> = fs::read_dir(crates)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_prefix(PREFIX).map(str::to_owned)
            })
            .collect();
        folders.sort_unstable();
        let mut listed = STRATEGIES.map(str::to_owned);
        listed.sort_unstable();
        assert_eq!(folders, listed);
    }

    #[test]
    fn unknown_strategies_and_empty_folders_are_refused_with_the_mend() {
        let unknown = Source::new(None, vec!["tokyo".into()]).unwrap_err().0;
        assert!(unknown.starts_with("unknown strategy `tokyo`: the strategies are async-std, "));
        let empty = tempfile::tempdir().unwrap();
        let error = Source::new(Some(empty.path().into()), vec![]).unwrap_err().0;
        assert!(error.contains("holds no strategy") && error.contains("strategy-*"), "{error}");
        let missing = empty.path().join("missing");
        assert!(Source::new(Some(missing), vec![]).is_err());
    }

    #[test]
    fn variables_that_tune_a_strategy_are_not_handed_on() {
        let known: std::collections::BTreeSet<_> = record::models::tuning().collect();
        assert_eq!(known, launch::TUNING.into());
    }
}
