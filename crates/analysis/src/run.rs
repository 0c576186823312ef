//! A run as it lies on disk, read whole.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Duration;

use record::journal::{Files, JOURNAL};
use record::{Host, Plan, Sources};
use workloads::UsageError;

use crate::rounds::{Round, Rounds, Visited};

/// A run as it lies on disk.
#[derive(Debug, Clone)]
pub struct Run {
    /// Name of its folder.
    pub name: String,
    /// What it was to do.
    pub plan: Plan,
    /// The machine and the tools.
    pub host: Host,
    /// The code that was measured, where it is known.
    pub sources: Option<Sources>,
    /// The rounds of each case of the plan.
    pub cases: Vec<Vec<Round>>,
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
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let Files { plan, host, sources } = Files::read(folder)?;
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
    #[cfg(any(test, feature = "fixtures"))]
    pub fn in_memory(
        name: &str,
        plan: Plan,
        measurements: Vec<record::journal::Measurement>,
    ) -> Self {
        let mut rounds = Rounds::of(&plan);
        let ends: std::collections::BTreeSet<_> =
            measurements.iter().map(|m| (m.case.clone(), m.round)).collect();
        for measurement in measurements {
            rounds.add_measurement(measurement).unwrap();
        }
        for (case, round) in ends {
            let noise = record::noise::Noise { canary: 1.0, ..record::noise::Noise::default() };
            rounds
                .add_end(record::journal::RoundEnd { round, case, noise, rejected: None })
                .unwrap();
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
    pub fn spent(&self) -> Duration {
        let visits = || Duration::from_nanos(self.visits().map(|visit| visit.visit_ns).sum());
        self.spent_ms.map_or_else(visits, Duration::from_millis)
    }

    /// Bytes of the journal that hold whole lines; what follows was torn by a crash.
    pub fn whole_bytes(&self) -> u64 {
        self.whole_bytes
    }

    /// All visits of all cases.
    pub fn visits(&self) -> impl Iterator<Item = &Visited> {
        self.cases.iter().flatten().flat_map(|round| &round.visits)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use protocol::{Digest, Fact, Measured, Sample, Usage};
    use record::SCHEMA;
    use record::fixtures::plan;
    use record::journal::{Journal, Measurement, Outcome, RoundEnd};
    use record::noise::Noise;

    use super::*;

    fn host() -> Host {
        Host { schema: SCHEMA, ..Host::default() }
    }

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

    fn end(round: u32, case: &str) -> RoundEnd {
        RoundEnd { round, case: case.to_owned(), noise: Noise::default(), rejected: None }
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
            (process.value, process.fact(Fact::PeakDepth), process.fact(Fact::Backlog)),
            (Some(20.0), Some(3.0), None)
        );
        let mut journal = Journal::reopen(folder.path()).unwrap();
        journal.keep(run.whole_bytes()).unwrap();
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
        let mut journal = Journal::reopen(folder.path()).unwrap();
        let run = Run::read(folder.path()).unwrap();
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

        fs::write(folder.path().join("plan.json"), r#"{"schema":99}"#).unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("schema 99 where this program writes 4"), "{error}");

        let plan = plan(&["map"], &["a"], 1);
        fs::remove_file(folder.path().join("plan.json")).unwrap();
        Journal::create(folder.path(), &plan, &host(), None).unwrap();
        fs::write(folder.path().join(JOURNAL), "garbage\n").unwrap();
        let error = Run::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 1 is damaged"), "{error}");

        let error = Journal::check_free(folder.path()).unwrap_err();
        assert!(error.to_string().contains("holds a run already"), "{error}");
    }
}
