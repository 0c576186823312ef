//! The append-only record of a run, and the folder it lies in.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::protocol::{Failure, FailureKind, Measured};
use worker::selection::UsageError;

use crate::host::Host;
use crate::plan::{Plan, SCHEMA, Step};

const PLAN: &str = "plan.json";
const HOST: &str = "host.json";
const JOURNAL: &str = "measurements.jsonl";

/// One line of `measurements.jsonl`: what one process run of one cell came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) schema: u32,
    pub(crate) round: u32,
    pub(crate) case: String,
    pub(crate) entry: String,
    /// Milliseconds since 1970 when the process was started.
    pub(crate) started_ms: u64,
    /// Nanoseconds from starting the process to having its answer and its end.
    pub(crate) visit_ns: u64,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// How it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Measured(Measured),
    Failed(Failure),
}

impl Outcome {
    /// Whether the cell is not visited again: it failed, and not for want of a quiet machine.
    pub(crate) fn gives_up(&self) -> bool {
        matches!(self, Outcome::Failed(failure) if failure.failure != FailureKind::Void)
    }
}

/// A run as it lies on disk.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Name of its folder.
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) host: Host,
    pub(crate) measurements: Vec<Measurement>,
    /// Bytes of the journal that hold whole lines; what follows was torn by a crash.
    whole_bytes: u64,
}

impl Run {
    /// Reads a run's folder. A torn last line is left out.
    ///
    /// # Errors
    /// A [`UsageError`] if the folder is not a run, is of another schema, or is damaged.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let plan: Plan = read_json(folder, PLAN)?;
        let host = read_json(folder, HOST)?;
        let path = folder.join(JOURNAL);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(|error| {
                UsageError(format!("{}: {error}: the journal cannot be read", path.display()))
            })?,
        };
        let (measurements, whole_bytes) =
            parse(&bytes).map_err(|reason| UsageError(format!("{}: {reason}", path.display())))?;
        check(&plan, &measurements)
            .map_err(|reason| UsageError(format!("{}: {reason}", folder.display())))?;
        let name = fs::canonicalize(folder)?
            .file_name()
            .map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Run { name, plan, host, measurements, whole_bytes })
    }

    /// A run that lies on no disk.
    #[cfg(test)]
    pub(crate) fn in_memory(name: &str, plan: Plan, measurements: Vec<Measurement>) -> Self {
        Run { name: name.to_owned(), plan, host: Host::default(), measurements, whole_bytes: 0 }
    }

    /// The visits that are left: those not in the journal, without cells that have failed before.
    pub(crate) fn remaining(&self) -> Vec<Step> {
        let done: BTreeSet<_> = self
            .measurements
            .iter()
            .map(|m| (m.round, m.case.as_str(), m.entry.as_str()))
            .collect();
        let failed: BTreeSet<_> = self
            .measurements
            .iter()
            .filter(|m| m.outcome.gives_up())
            .map(|m| (m.case.as_str(), m.entry.as_str()))
            .collect();
        let mut steps = self.plan.steps();
        steps.retain(|step| {
            let case = self.plan.cases[step.case].id.as_str();
            let entry = self.plan.entries[step.entry].id.as_str();
            !done.contains(&(step.round, case, entry)) && !failed.contains(&(case, entry))
        });
        steps
    }
}

fn read_json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, UsageError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let path = folder.join(name);
    let refuse = |reason: String| UsageError(format!("{}: {reason}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| {
        refuse(format!(
            "{error}: this is not the folder of a run; give one that holds {PLAN} and {HOST}"
        ))
    })?;
    let damaged = |error| refuse(format!("damaged ({error}): start a new run"));
    let Schema { schema } = serde_json::from_str(&text).map_err(damaged)?;
    if schema != SCHEMA {
        return Err(refuse(format!(
            "schema {schema} where this program writes {SCHEMA}: use the program that wrote it, or \
             start a new run"
        )));
    }
    serde_json::from_str(&text).map_err(damaged)
}

/// Refuses what does not belong together.
fn check(plan: &Plan, measurements: &[Measurement]) -> Result<(), String> {
    if let Some(case) = plan.cases.iter().find(|case| workloads::find(&case.workload).is_none()) {
        let name = &case.workload;
        return Err(format!(
            "the plan has the workload `{name}`, which this program does not know: use the program \
             that wrote it, or start a new run"
        ));
    }
    if plan.workers == 0 || plan.cases.iter().any(|case| case.workers == 0) {
        return Err("the plan has 0 workers: start a new run".to_owned());
    }
    let planned = |m: &Measurement| {
        m.round < plan.rounds
            && plan.cases.iter().any(|case| case.id == m.case)
            && plan.entries.iter().any(|entry| entry.id == m.entry)
    };
    match measurements.iter().position(|measurement| !planned(measurement)) {
        Some(index) => {
            Err(format!("line {} of {JOURNAL} is not in the plan: remove it to go on", index + 1))
        }
        None => Ok(()),
    }
}

/// The measurements and the bytes that whole lines take.
fn parse(bytes: &[u8]) -> Result<(Vec<Measurement>, u64), String> {
    let mut measurements = Vec::new();
    let mut whole = 0;
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match serde_json::from_slice::<Measurement>(line) {
            Ok(m) if m.schema == SCHEMA && line.ends_with(b"\n") => measurements.push(m),
            _ if !line.ends_with(b"\n") => break,
            Ok(m) => return Err(format!("line {} is of schema {}", index + 1, m.schema)),
            Err(error) => {
                let (number, error) = (index + 1, error.to_string());
                // Its own line number is always 1.
                let error = error.split(" at line").next().unwrap_or_default();
                return Err(format!("line {number} is damaged ({error}): remove it to go on"));
            }
        }
        whole += line.len() as u64;
    }
    Ok((measurements, whole))
}

/// A run's folder open for writing.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    file: File,
}

impl Journal {
    /// Refuses a folder that holds a run already.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn check_free(folder: &Path) -> Result<(), UsageError> {
        let taken = fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
        let has_plan = folder.join(PLAN).exists();
        let folder = folder.display();
        if !taken {
            return Ok(());
        }
        if !has_plan {
            let reason = format!("{folder} is not empty: choose another folder with --out");
            return Err(UsageError(reason));
        }
        Err(UsageError(format!(
            "{folder} holds a run already: resume it with --resume {folder}, or choose another \
             folder with --out"
        )))
    }

    /// Makes the folder and writes plan and host.
    ///
    /// # Errors
    /// A [`UsageError`] if the folder holds a run already or cannot be written.
    pub(crate) fn create(folder: &Path, plan: &Plan, host: &Host) -> anyhow::Result<Self> {
        let refuse = |error: io::Error| {
            UsageError(format!(
                "cannot write to {}: {error}; choose another folder with --out",
                folder.display()
            ))
        };
        fs::create_dir_all(folder).map_err(refuse)?;
        fs::write(folder.join(HOST), to_json(host)).map_err(refuse)?;
        // The plan last: a folder that has one has everything.
        let file = append(folder).map_err(refuse)?;
        lock(folder, &file)?;
        fs::write(folder.join(PLAN), to_json(plan)).map_err(refuse)?;
        Ok(Journal { folder: folder.to_owned(), file })
    }

    /// Opens the folder of a run for nobody else, reads it, and cuts off what a crash tore.
    ///
    /// # Errors
    /// If the journal cannot be read or written, or another process has it open.
    pub(crate) fn reopen(folder: &Path) -> anyhow::Result<(Self, Run)> {
        let refuse = |error: io::Error| {
            UsageError(format!("cannot write to {}: {error}; mend that first", folder.display()))
        };
        let file = append(folder).map_err(refuse)?;
        lock(folder, &file)?;
        let run = Run::read(folder)?;
        file.set_len(run.whole_bytes).map_err(refuse)?;
        Ok((Journal { folder: folder.to_owned(), file }, run))
    }

    /// Appends one measurement in one write.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub(crate) fn append(&mut self, measurement: &Measurement) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(measurement).context("measurements are plain data")?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .and_then(|()| self.file.flush())
            .with_context(|| format!("cannot write to {}", self.folder.join(JOURNAL).display()))
    }
}

/// Two processes that measure into one run would disturb each other and repeat each other's visits.
fn lock(folder: &Path, journal: &File) -> Result<(), UsageError> {
    journal.try_lock().map_err(|_| {
        UsageError(format!(
            "{} is being written by another process: wait for it, or end it",
            folder.display()
        ))
    })
}

fn append(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(folder.join(JOURNAL))
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("files of a run are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use worker::protocol::FailureKind;

    use super::*;
    use crate::plan::tests::plan;

    pub(crate) fn failed(round: u32, case: &str, entry: &str) -> Measurement {
        Measurement {
            schema: SCHEMA,
            round,
            case: case.to_owned(),
            entry: entry.to_owned(),
            started_ms: 0,
            visit_ns: 1,
            outcome: Outcome::Failed(Failure::new(FailureKind::Timeout, "too slow")),
        }
    }

    fn host() -> Host {
        Host { schema: SCHEMA, ..Host::default() }
    }

    fn measured(round: u32, case: &str, entry: &str) -> Measurement {
        let outcome = Outcome::Measured(Measured {
            how: None,
            warmup_ns: vec![],
            samples: vec![],
            peak_threads: None,
            worker_threads: None,
            peak_memory_bytes: None,
            latency_ns: vec![],
        });
        Measurement { outcome, ..failed(round, case, entry) }
    }

    #[test]
    fn a_run_survives_the_disk_and_a_torn_last_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["map"], &["a", "b"], 2);
        let mut journal = Journal::create(folder.path(), &plan, &host()).unwrap();
        journal.append(&measured(0, "map", "a")).unwrap();
        drop(journal);
        let path = folder.path().join(JOURNAL);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();

        let run = Run::read(folder.path()).unwrap();
        assert_eq!(run.measurements, [measured(0, "map", "a")]);
        assert_eq!(run.remaining().len(), 3);
        let (mut journal, _) = Journal::reopen(folder.path()).unwrap();
        let second = Journal::reopen(folder.path()).unwrap_err().to_string();
        assert!(second.contains("is being written by another process"), "{second}");
        journal.append(&measured(0, "map", "b")).unwrap();
        assert_eq!(Run::read(folder.path()).unwrap().measurements.len(), 2);
    }

    #[test]
    fn a_cell_that_failed_is_not_visited_again() {
        let measurements = vec![failed(0, "map", "a"), measured(0, "map", "b")];
        let mut run = Run::in_memory("", plan(&["map"], &["a", "b"], 3), measurements);
        let left: Vec<_> = run.remaining().iter().map(|step| (step.round, step.entry)).collect();
        assert_eq!(left, [(1, 1), (2, 1)]);
        run.measurements.clear();
        assert_eq!(run.remaining().len(), 6);
    }

    #[test]
    fn folders_that_are_no_run_and_other_schemas_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Run::read(folder.path()).unwrap_err();
        assert!(error.is::<UsageError>());
        assert!(error.to_string().contains("this is not the folder of a run"), "{error}");

        fs::write(folder.path().join(PLAN), r#"{"schema":99}"#).unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("schema 99 where this program writes 3"), "{error}");

        let plan = plan(&["map"], &["a"], 1);
        fs::remove_file(folder.path().join(PLAN)).unwrap();
        Journal::create(folder.path(), &plan, &host()).unwrap();
        fs::write(folder.path().join(JOURNAL), "garbage\n").unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 1 is damaged"), "{error}");

        let error = Journal::check_free(folder.path()).unwrap_err();
        assert!(error.to_string().contains("holds a run already"), "{error}");
    }
}
