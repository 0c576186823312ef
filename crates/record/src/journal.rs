//! The append-only record of a run, and the folder it lies in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use protocol::{Failure, Measured};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use workloads::UsageError;

use crate::host::Host;
use crate::noise::Noise;
use crate::plan::Plan;
use crate::schema::SCHEMA;
use crate::sources::Sources;

mod columns;

const PLAN: &str = "plan.json";
const HOST: &str = "host.json";
const SOURCES: &str = "sources.json";
/// The append-only record.
pub const JOURNAL: &str = "measurements.jsonl";

/// One line of `measurements.jsonl`: a measurement, or the end of a round.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// Version of the line, [`SCHEMA`].
    pub schema: u32,
    /// A measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// The end of a round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundEnd>,
    /// Milliseconds of the time budget that were spent when it was written, in all sessions of the run: with
    /// capacities, oracles, canaries and waiting, without the time between two sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_ms: Option<u64>,
}

/// What one process run of one cell came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The number of the round.
    pub round: u32,
    /// The case's id.
    pub case: String,
    /// The entry's id.
    pub entry: String,
    /// Whether it repeats the entry inside the round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twin: bool,
    /// Milliseconds since 1970 when the process was started.
    pub started_ms: u64,
    /// Nanoseconds from starting the process to having its answer and its end.
    pub visit_ns: u64,
    /// How it came out.
    pub outcome: Outcome,
}

/// How it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was measured.
    Measured(#[serde(with = "columns")] Measured),
    /// It failed.
    Failed(Failure),
}

/// That all visits of a round were made, and how noisy it was. A round without it was interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundEnd {
    /// The number of the round.
    pub round: u32,
    /// The case's id.
    pub case: String,
    /// What disturbed it.
    pub noise: Noise,
    /// Why the round does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// The files of a run beside its journal.
#[derive(Debug, Clone)]
pub struct Files {
    /// What the run will do.
    pub plan: Plan,
    /// The machine and the tools.
    pub host: Host,
    /// The code that was measured, where it is known.
    pub sources: Option<Sources>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// If the folder is not a run, is of another schema, or is damaged.
    pub fn read(folder: &Path) -> Result<Self, UsageError> {
        let plan: Plan = read_json(folder, PLAN)?;
        let host = read_json(folder, HOST)?;
        check(&plan).map_err(|reason| UsageError(format!("{}: {reason}", folder.display())))?;
        let sources = match folder.join(SOURCES).exists() {
            true => Some(read_json(folder, SOURCES)?),
            false => None,
        };
        Ok(Files { plan, host, sources })
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
fn check(plan: &Plan) -> Result<(), String> {
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
    if plan.design.block == 0 {
        return Err("the plan has superblocks of 0 rounds: start a new run".to_owned());
    }
    Ok(())
}

/// A run's folder open for writing.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    /// From when on the time of the budget counts.
    begin: Option<Instant>,
}

impl Journal {
    /// Refuses a folder that holds a run already.
    ///
    /// # Errors
    /// The refusal.
    pub fn check_free(folder: &Path) -> Result<(), UsageError> {
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

    /// Makes the folder and writes plan, host and sources.
    ///
    /// # Errors
    /// A [`UsageError`] if the folder holds a run already or cannot be written.
    pub fn create(
        folder: &Path,
        plan: &Plan,
        host: &Host,
        sources: Option<&Sources>,
    ) -> anyhow::Result<Self> {
        let refuse = |error: io::Error| {
            UsageError(format!(
                "cannot write to {}: {error}; choose another folder with --out",
                folder.display()
            ))
        };
        fs::create_dir_all(folder).map_err(refuse)?;
        fs::write(folder.join(HOST), to_json(host)).map_err(refuse)?;
        if let Some(sources) = sources {
            fs::write(folder.join(SOURCES), to_json(sources)).map_err(refuse)?;
        }
        // The plan last: a folder that has one has everything.
        let file = append(folder).map_err(refuse)?;
        lock(folder, &file)?;
        fs::write(folder.join(PLAN), to_json(plan)).map_err(refuse)?;
        Ok(Journal { folder: folder.to_owned(), file, begin: None })
    }

    /// Opens the journal of a run, which no other process may have open.
    ///
    /// # Errors
    /// If it cannot be written, or another process has it open.
    pub fn reopen(folder: &Path) -> Result<Self, UsageError> {
        let file = append(folder).map_err(|error| not_writable(folder, &error))?;
        lock(folder, &file)?;
        Ok(Journal { folder: folder.to_owned(), file, begin: None })
    }

    /// Cuts off what a crash tore: all but the first bytes, which hold whole lines.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, whole_bytes: u64) -> Result<(), UsageError> {
        self.file.set_len(whole_bytes).map_err(|error| not_writable(&self.folder, &error))
    }

    /// Appends one measurement.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub fn measured(&mut self, measurement: Measurement) -> anyhow::Result<()> {
        self.append(Some(measurement), None)
    }

    /// Appends the end of a round.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub fn ended(&mut self, end: RoundEnd) -> anyhow::Result<()> {
        self.append(None, Some(end))
    }

    /// Notes how much of the budget is spent, and that it counts from `begin` on: every later line says so too, so
    /// that it is known however the run ends.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub fn count_from(&mut self, begin: Instant) -> anyhow::Result<()> {
        self.begin = Some(begin);
        self.append(None, None)
    }

    /// In one write.
    fn append(
        &mut self,
        measurement: Option<Measurement>,
        round: Option<RoundEnd>,
    ) -> anyhow::Result<()> {
        let spent_ms = self.begin.map(|begin| begin.elapsed().as_millis() as u64);
        let line = Line { schema: SCHEMA, measurement, round, spent_ms };
        let mut line = serde_json::to_vec(&line).context("measurements are plain data")?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .and_then(|()| self.file.flush())
            .with_context(|| format!("cannot write to {}", self.folder.join(JOURNAL).display()))
    }
}

fn not_writable(folder: &Path, error: &io::Error) -> UsageError {
    UsageError(format!("cannot write to {}: {error}; mend that first", folder.display()))
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

/// Data as indented JSON with a line break at its end.
pub fn to_json<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("files of a run are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use protocol::{Digest, Fact, Sample, Usage};

    use super::*;

    fn measured(round: u32, case: &str, entry: &str) -> Measurement {
        let sample = |wall_ns, usage, facts: &[(Fact, u64)]| Sample {
            wall_ns,
            usage,
            digest: Digest::of_number(1),
            facts: facts.iter().copied().collect(),
        };
        let usage = Some(Usage { user_ns: 7, ..Usage::default() });
        let outcome = Outcome::Measured(Measured {
            how: Some(protocol::How::fair("a form", "https://a")),
            warmup_ns: vec![1],
            samples: vec![
                sample(10, usage, &[(Fact::PeakDepth, 1), (Fact::Backlog, 2)]),
                sample(30, usage, &[(Fact::PeakDepth, 3)]),
            ],
            peak_threads: Some(2),
            worker_threads: None,
            peak_memory_bytes: Some(9),
            latency_ns: vec![(5, 1)],
        });
        Measurement {
            round,
            case: case.to_owned(),
            entry: entry.to_owned(),
            twin: false,
            started_ms: 0,
            visit_ns: 1,
            outcome,
        }
    }

    #[test]
    fn a_line_holds_all_samples() {
        let measurement = Some(measured(0, "map", "a"));
        let line = Line { schema: SCHEMA, measurement, round: None, spent_ms: None };
        let text = serde_json::to_string(&line).unwrap();
        assert!(text.contains(r#""wall_ns":[10,30]"#), "{text}");
        let read: Line = serde_json::from_str(&text).unwrap();
        assert_eq!(read.measurement, line.measurement);
        let uneven = text.replace("[10,30]", "[10,30,50]");
        let error = serde_json::from_str::<Line>(&uneven).unwrap_err().to_string();
        assert!(error.contains("its columns differ in length"), "{error}");
    }
}
