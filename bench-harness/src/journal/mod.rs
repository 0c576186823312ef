//! The append-only record of a run, and the folder it lies in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::protocol::{Failure, Measured};
use worker::selection::UsageError;

use crate::host::Host;
use crate::noise::Noise;
use crate::plan::{Plan, SCHEMA};
use crate::sources::Sources;

mod columns;
mod rounds;

pub(crate) use rounds::{Round, Rounds, Visited};

const PLAN: &str = "plan.json";
const HOST: &str = "host.json";
const SOURCES: &str = "sources.json";
const JOURNAL: &str = "measurements.jsonl";

/// One line of `measurements.jsonl`: a measurement, or the end of a round.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    schema: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    measurement: Option<Measurement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    round: Option<RoundEnd>,
    /// Milliseconds of the time budget that were spent when it was written, in all sessions of the run: with
    /// capacities, oracles, canaries and waiting, without the time between two sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spent_ms: Option<u64>,
}

/// What one process run of one cell came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) round: u32,
    pub(crate) case: String,
    pub(crate) entry: String,
    /// Whether it repeats the entry inside the round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) twin: bool,
    /// Milliseconds since 1970 when the process was started.
    pub(crate) started_ms: u64,
    /// Nanoseconds from starting the process to having its answer and its end.
    pub(crate) visit_ns: u64,
    pub(crate) outcome: Outcome,
}

/// How it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Measured(#[serde(with = "columns")] Measured),
    Failed(Failure),
}

/// That all visits of a round were made, and how noisy it was. A round without it was interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoundEnd {
    pub(crate) round: u32,
    pub(crate) case: String,
    pub(crate) noise: Noise,
    /// Why the round does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rejected: Option<String>,
}

/// A run as it lies on disk.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Name of its folder.
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) host: Host,
    /// The code that was measured, where it is known.
    pub(crate) sources: Option<Sources>,
    /// The rounds of each case of the plan.
    pub(crate) cases: Vec<Vec<Round>>,
    /// Milliseconds of the time budget that were spent, as far as the journal says.
    spent_ms: Option<u64>,
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
        check(&plan).map_err(|reason| UsageError(format!("{}: {reason}", folder.display())))?;
        let sources = match folder.join(SOURCES).exists() {
            true => Some(read_json(folder, SOURCES)?),
            false => None,
        };
        let path = folder.join(JOURNAL);
        let mut rounds = Rounds::of(&plan);
        let whole_bytes = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(format!("{error}: the journal cannot be read")),
            Ok(file) => rounds.read(BufReader::with_capacity(1 << 20, file)),
        };
        let whole_bytes =
            whole_bytes.map_err(|reason| UsageError(format!("{}: {reason}", path.display())))?;
        let name = fs::canonicalize(folder)?
            .file_name()
            .map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned());
        let (cases, spent_ms) = (rounds.cases, rounds.spent_ms);
        Ok(Run { name, plan, host, sources, cases, spent_ms, whole_bytes })
    }

    /// A run that lies on no disk, whose rounds have all ended quietly.
    #[cfg(test)]
    pub(crate) fn in_memory(name: &str, plan: Plan, measurements: Vec<Measurement>) -> Self {
        let mut rounds = Rounds::of(&plan);
        let ends: std::collections::BTreeSet<_> =
            measurements.iter().map(|m| (m.case.clone(), m.round)).collect();
        for measurement in measurements {
            rounds.add_measurement(measurement).unwrap();
        }
        for (case, round) in ends {
            let noise = Noise { canary: 1.0, ..Noise::default() };
            rounds.add_end(RoundEnd { round, case, noise, rejected: None }).unwrap();
        }
        let cases = rounds.cases;
        Run {
            name: name.to_owned(),
            plan,
            host: Host::default(),
            sources: None,
            cases,
            spent_ms: None,
            whole_bytes: 0,
        }
    }

    /// Time of the budget that was spent before the run was interrupted. Of runs that did not write it down, what
    /// their visits took.
    pub(crate) fn spent(&self) -> Duration {
        let visits = || Duration::from_nanos(self.visits().map(|visit| visit.visit_ns).sum());
        self.spent_ms.map_or_else(visits, Duration::from_millis)
    }

    /// All visits of all cases.
    pub(crate) fn visits(&self) -> impl Iterator<Item = &Visited> {
        self.cases.iter().flatten().flat_map(|round| &round.visits)
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
pub(crate) struct Journal {
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

    /// Makes the folder and writes plan, host and sources.
    ///
    /// # Errors
    /// A [`UsageError`] if the folder holds a run already or cannot be written.
    pub(crate) fn create(
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
        Ok((Journal { folder: folder.to_owned(), file, begin: None }, run))
    }

    /// Appends one measurement.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub(crate) fn measured(&mut self, measurement: Measurement) -> anyhow::Result<()> {
        self.append(Some(measurement), None)
    }

    /// Appends the end of a round.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub(crate) fn ended(&mut self, end: RoundEnd) -> anyhow::Result<()> {
        self.append(None, Some(end))
    }

    /// Notes how much of the budget is spent, and that it counts from `begin` on: every later line says so too, so
    /// that it is known however the run ends.
    ///
    /// # Errors
    /// If it cannot be written; the run then ends and can be resumed.
    pub(crate) fn count_from(&mut self, begin: Instant) -> anyhow::Result<()> {
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
mod tests {
    use worker::protocol::{Sample, Usage};
    use workloads::{Digest, Facts};

    use super::*;
    use crate::plan::tests::plan;

    fn host() -> Host {
        Host { schema: SCHEMA, ..Host::default() }
    }

    fn measured(round: u32, case: &str, entry: &str) -> Measurement {
        let sample = |wall_ns, usage, facts: &[(&str, u64)]| Sample {
            wall_ns,
            usage,
            digest: Digest::of_number(1),
            facts: facts.iter().map(|&(name, value)| (name.to_owned(), value)).collect::<Facts>(),
        };
        let usage = Some(Usage { user_ns: 7, ..Usage::default() });
        let outcome = Outcome::Measured(Measured {
            how: worker::How::fair("a form", "https://a"),
            warmup_ns: vec![1],
            samples: vec![sample(10, usage, &[("a", 1), ("b", 2)]), sample(30, usage, &[("a", 3)])],
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

    fn end(round: u32, case: &str) -> RoundEnd {
        RoundEnd { round, case: case.to_owned(), noise: Noise::default(), rejected: None }
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

    #[test]
    fn a_run_survives_the_disk_and_a_torn_last_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["map"], &["a", "b"], 2);
        let mut journal = Journal::create(folder.path(), &plan, &host(), None).unwrap();
        journal.measured(measured(0, "map", "a")).unwrap();
        drop(journal);
        let path = folder.path().join(JOURNAL);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();

        let run = Run::read(folder.path()).unwrap();
        let [round] = &run.cases[0][..] else { panic!("{:?}", run.cases) };
        assert!(!round.is_admitted(), "it has not ended");
        let process = round.visit(0, false).unwrap().outcome.as_ref().unwrap();
        assert_eq!(
            (process.value, process.fact("a"), process.fact("b")),
            (Some(20.0), Some(3.0), None)
        );
        let (mut journal, _) = Journal::reopen(folder.path()).unwrap();
        let second = Journal::reopen(folder.path()).unwrap_err().to_string();
        assert!(second.contains("is being written by another process"), "{second}");
        journal.measured(Measurement { twin: true, ..measured(0, "map", "a") }).unwrap();
        journal.ended(end(0, "map")).unwrap();
        let run = Run::read(folder.path()).unwrap();
        assert!(run.cases[0][0].is_admitted());
        assert_eq!(run.visits().count(), 2);
    }

    #[test]
    fn what_was_spent_is_known_however_a_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["map"], &["a"], 2);
        let begun_ago = |ms: u64| Instant::now().checked_sub(Duration::from_millis(ms)).unwrap();
        let mut journal = Journal::create(folder.path(), &plan, &host(), None).unwrap();
        journal.measured(Measurement { visit_ns: 7_000_000, ..measured(0, "map", "a") }).unwrap();
        let spent = || Run::read(folder.path()).unwrap().spent();
        assert_eq!(spent(), Duration::from_millis(7), "as long as nothing else is known");
        // Capacity and oracles came before the first visit.
        journal.count_from(begun_ago(5_000)).unwrap();
        assert!(spent() >= Duration::from_secs(5));
        drop(journal);
        let (mut journal, run) = Journal::reopen(folder.path()).unwrap();
        journal.count_from(Instant::now().checked_sub(run.spent()).unwrap()).unwrap();
        journal.ended(end(0, "map")).unwrap();
        let spent = spent();
        assert!(spent >= Duration::from_secs(5) && spent < Duration::from_secs(3_600), "{spent:?}");
    }

    #[test]
    fn what_is_not_in_the_plan_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["map"], &["a"], 1);
        let mut journal = Journal::create(folder.path(), &plan, &host(), None).unwrap();
        journal.measured(measured(0, "map", "a")).unwrap();
        journal.measured(measured(0, "map", "stranger")).unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 2 is not in the plan"), "{error}");
    }

    #[test]
    fn folders_that_are_no_run_and_other_schemas_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Run::read(folder.path()).unwrap_err();
        assert!(error.is::<UsageError>());
        assert!(error.to_string().contains("this is not the folder of a run"), "{error}");

        fs::write(folder.path().join(PLAN), r#"{"schema":99}"#).unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("schema 99 where this program writes 4"), "{error}");

        let plan = plan(&["map"], &["a"], 1);
        fs::remove_file(folder.path().join(PLAN)).unwrap();
        Journal::create(folder.path(), &plan, &host(), None).unwrap();
        fs::write(folder.path().join(JOURNAL), "garbage\n").unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 1 is damaged"), "{error}");

        let error = Journal::check_free(folder.path()).unwrap_err();
        assert!(error.to_string().contains("holds a run already"), "{error}");
    }
}
