//! Running the built harness against real strategies and misbehaving ones.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

pub(crate) const HARNESS: &str = env!("CARGO_BIN_EXE_bench-harness");

/// A folder with executables for `--bin-dir`, and room for runs.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// With links to these real strategies.
    pub(crate) fn with(strategies: &[&str]) -> Self {
        let bench = Bench { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(bench.bin_dir()).unwrap();
        for name in strategies {
            let program = built(name);
            let link = bench.bin_dir().join(format!("strategy-{name}"));
            std::os::unix::fs::symlink(program, link).unwrap();
        }
        bench
    }

    pub(crate) fn bin_dir(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A strategy that describes itself properly and answers `run` with this piece of shell.
    pub(crate) fn add_fixture(&self, name: &str, body: &str) {
        let described = format!(
            r#"{{"protocol":1,"reply":"described","strategy":"{name}","variants":["default"]}}"#
        );
        let script = format!(
            "#!/bin/sh\nread -r line\n\
             case \"$line\" in *describe*) echo '{described}'; exit 0;; esac\n{body}\n"
        );
        self.add_program(name, &script);
    }

    pub(crate) fn add_program(&self, name: &str, script: &str) {
        let path = self.bin_dir().join(format!("strategy-{name}"));
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The harness with these arguments and this folder's strategies.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(HARNESS);
        command.args(arguments).arg("--bin-dir").arg(self.bin_dir());
        command
    }

    /// The harness with these arguments and no strategies.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Output {
        Command::new(HARNESS).args(arguments).output().unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// The executable of a strategy, built if this package is tested alone.
pub(crate) fn built(strategy: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let package = format!("strategy-{strategy}");
    let program = Path::new(HARNESS).with_file_name(&package);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(strategy) {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "-p", &package]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        built.insert(strategy.to_owned());
    }
    program
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("the harness is not killed")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn summary(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap()
}

/// The row of an entry in a case.
pub(crate) fn row<'a>(summary: &'a Value, case: &str, entry: &str) -> &'a Value {
    let cases = summary["cases"].as_array().unwrap();
    let case = cases.iter().find(|c| c["id"] == case).expect("the case is in the summary");
    let rows = case["rows"].as_array().unwrap();
    rows.iter().find(|row| row["entry"] == entry).expect("the entry has a row")
}

pub(crate) fn journal(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("measurements.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The measurements of a journal.
pub(crate) fn measurements(run: &Path) -> Vec<Value> {
    journal(run).iter().filter_map(|line| line.get("measurement").cloned()).collect()
}

/// The case and number of each round that ended and counts.
pub(crate) fn admitted(run: &Path) -> Vec<(String, u64)> {
    journal(run)
        .iter()
        .filter_map(|line| line.get("round"))
        .filter(|round| round.get("rejected").is_none())
        .map(|round| (round["case"].to_string(), round["round"].as_u64().unwrap()))
        .collect()
}
