//! How cargo is asked to build a strategy: with the flags of this program, into the folder it lies in.
//!
//! `cargo run` becomes the program that it runs, so that its own command line is gone by then. What it has
//! decided shows in this program: the flags in what `build.rs` hands over, the folder in where it lies.

use record::program::Build;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::de::{DeTable, DeValue};

/// Aligns every function to a cache line, as `.cargo/config.toml` does unless other flags displace it.
const ALIGNED: &str = "-Cllvm-args=-align-all-functions=6";

/// The name of any flag that sets an alignment of functions.
const ALIGNS: &str = "align-all-functions";

/// Between the flags of one variable.
const SEPARATOR: char = '\x1f';

/// The variables that set keys of the profile, such as `CARGO_PROFILE_RELEASE_LTO`.
const PROFILE_VARIABLE: &str = "CARGO_PROFILE_RELEASE_";

/// What is in force in this workspace.
pub(crate) fn of_workspace(root: &Path) -> Build {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let files = std::iter::once(root.join("Cargo.toml")).chain(configurations(root));
    let files: Vec<_> = files.filter_map(read).collect();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Build {
        target: env!("HARNESS_TARGET").to_owned(),
        rustflags: rustflags(&|name| std::env::var(name).ok()),
        profile: profile(&files, variables),
    }
}

/// The command that builds one package of the workspace in the release profile, without the command line that it has
/// by itself: that would be linked into what is measured.
pub(crate) fn build(root: &Path, package: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"])
        .args(["-p", package, "--no-default-features"])
        .args(place(root))
        .env("CARGO_ENCODED_RUSTFLAGS", encoded(&rustflags(&|name| std::env::var(name).ok())))
        .current_dir(root);
    command
}

fn encoded(flags: &[String]) -> String {
    flags.join(&SEPARATOR.to_string())
}

/// The flags of the environment, or else those with which this program was compiled; with the alignment, so
/// that no other flag displaces it.
fn rustflags(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let split = |flags: &str| flags.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
    let words = |flags: &str| flags.split_whitespace().map(str::to_owned).collect();
    let mut flags = match (variable("CARGO_ENCODED_RUSTFLAGS"), variable("RUSTFLAGS")) {
        (Some(encoded), _) => split(&encoded),
        (None, Some(plain)) => words(&plain),
        (None, None) => split(env!("HARNESS_RUSTFLAGS")),
    };
    flags.retain(|flag| !flag.is_empty());
    if !flags.iter().any(|flag| flag.contains(ALIGNS)) {
        flags.push(ALIGNED.to_owned());
    }
    flags
}

/// The options by which the strategies come to lie beside this program.
fn place(root: &Path) -> Vec<OsString> {
    let program = std::env::current_exe().ok();
    program.map_or_else(Vec::new, |program| options(&program, env!("HARNESS_TARGET"), root))
}

/// From `FOLDER/release/PROGRAM`, or `FOLDER/TARGET/release/PROGRAM` where a target was asked for; none where
/// the program was put elsewhere, or belongs to another checkout.
fn options(program: &Path, target: &str, root: &Path) -> Vec<OsString> {
    let Some(above) = program.ancestors().nth(2) else { return Vec::new() };
    let asked = above.file_name().is_some_and(|name| name == target);
    let folder = if asked { above.parent().unwrap_or(above) } else { above };
    let beside = folder.parent().unwrap_or(folder);
    let of_another = beside != root && beside.join("bench-harness/Cargo.toml").is_file();
    // Cargo marks its folders with this file.
    if of_another || !folder.join("CACHEDIR.TAG").is_file() {
        return Vec::new();
    }
    let mut options = vec!["--target-dir".into(), folder.into()];
    if asked {
        options.extend(["--target".into(), target.into()]);
    }
    options
}

/// Cargo's configuration files for a folder, those that give way first. Source:
/// <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>.
fn configurations(root: &Path) -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut folders: Vec<_> = root.ancestors().map(|folder| folder.join(".cargo")).collect();
    folders.extend(home.filter(|home| !folders.contains(home)));
    let file = |folder: &PathBuf| {
        ["config", "config.toml"].map(|name| folder.join(name)).into_iter().find(|f| f.is_file())
    };
    folders.iter().rev().filter_map(file).collect()
}

/// The keys of the release profile, each from the last file or else the variable that sets it.
fn profile(
    files: &[String],
    variables: impl Iterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for text in files {
        let Ok(document) = DeTable::parse(text) else { continue };
        let profile =
            document.get_ref().get("profile").and_then(|value| value.get_ref().as_table());
        if let Some(release) = profile.and_then(|profile| profile.get("release")) {
            flatten("", release.get_ref(), &mut keys);
        }
    }
    keys.extend(variables.filter_map(|(name, value)| {
        let key = name.strip_prefix(PROFILE_VARIABLE)?;
        Some((key.to_lowercase().replace('_', "-"), value))
    }));
    keys
}

fn flatten(path: &str, value: &DeValue<'_>, into: &mut BTreeMap<String, String>) {
    let shown = match value {
        DeValue::Table(table) => {
            for (key, value) in table.iter() {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{}", key.get_ref()), value.get_ref(), into);
            }
            return;
        }
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        other => other.type_str().to_owned(),
    };
    into.insert(path.to_owned(), shown);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_from_elsewhere_are_kept_and_never_displace_the_alignment() {
        let with = |name: &'static str, value: &'static str| {
            rustflags(&move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("RUSTFLAGS", "-Dwarnings  -Cx=1"), ["-Dwarnings", "-Cx=1", ALIGNED]);
        assert_eq!(with("RUSTFLAGS", ""), [ALIGNED]);
        let encoded = with("CARGO_ENCODED_RUSTFLAGS", "-Clink-arg=a b\x1f-Cx=1");
        assert_eq!(encoded, ["-Clink-arg=a b", "-Cx=1", ALIGNED]);
        let own = with("RUSTFLAGS", "-Cllvm-args=-align-all-functions=5");
        assert_eq!(own, ["-Cllvm-args=-align-all-functions=5"]);
        let none = rustflags(&|_| None);
        assert!(none.iter().any(|flag| flag.contains(ALIGNS)), "{none:?}");
    }

    #[test]
    fn the_workspaces_configuration_has_the_flag_that_is_passed_on() {
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cargo/config.toml");
        assert!(fs::read_to_string(config).unwrap().contains(&format!("[\"{ALIGNED}\"]")));
    }

    #[test]
    fn strategies_are_built_where_this_program_lies() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("t");
        fs::create_dir_all(&target).unwrap();
        let options = |program: &str| {
            let options =
                options(&target.join(program), "riscv64gc-unknown-linux-gnu", Path::new("/"));
            options.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(options("release/harness"), [""; 0], "it is no folder of cargo's");
        fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        let path = target.to_str().unwrap();
        assert_eq!(options("release/harness"), ["--target-dir", path]);
        let cross = options("riscv64gc-unknown-linux-gnu/release/harness");
        assert_eq!(cross, ["--target-dir", path, "--target", "riscv64gc-unknown-linux-gnu"]);
        fs::create_dir(folder.path().join("bench-harness")).unwrap();
        fs::write(folder.path().join("bench-harness/Cargo.toml"), "").unwrap();
        assert_eq!(options("release/harness"), [""; 0], "it is another checkout's");
    }

    #[test]
    fn the_command_keeps_the_lock_file() {
        let command = build(Path::new("/"), "strategy-floor");
        assert!(command.get_args().any(|word| word == "--locked"));
        let flags = command.get_envs().find(|(name, _)| *name == "CARGO_ENCODED_RUSTFLAGS");
        assert!(flags.unwrap().1.unwrap().to_str().unwrap().contains(ALIGNS));
    }

    #[test]
    fn profile_settings_come_from_files_and_then_the_environment() {
        let manifest = "[profile.release]\nlto = \"thin\"\ncodegen-units = 1\n";
        let config =
            "[profile.release]\nlto = false\n[profile.release.package.tokio]\nopt-level = 2\n";
        let variables = [("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("OTHER", "1")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let files = [manifest.to_owned(), "not [TOML".to_owned(), config.to_owned()];
        let keys = profile(&files, variables.into_iter());
        let expected =
            [("codegen-units", "16"), ("lto", "false"), ("package.tokio.opt-level", "2")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(keys, BTreeMap::from(expected));
    }
}
