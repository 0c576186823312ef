//! Carries out a plan: visit after visit, each written down before the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use launch::Visit;
use launch::interrupt;
use launch::scratch::Scratch;
use launch::selection;
use launch::selection::Choice;
use workloads::UsageError;
use workloads::{Digest, Profile, find};

use crate::capacity::capacity;
use crate::noise::Gate;
use crate::planning;
use crate::planning::map::Request;
use crate::programs::{Program, Source, workspace_root};
use crate::progress::{Left, Progress, Teller, span};
use crate::schedule::{Cell, Next, Schedule};
use analysis::setting;
use analysis::setting::Setting;
use analysis::{Rounds, Run};
use machine::Calibration;
use record::Host;
use record::LeftOut;
use record::Sources;
use record::journal::{Journal, Measurement, Outcome, RoundEnd};
use record::service::ServiceProfile;
use record::{Plan, PlannedCase, Purpose, SCHEMA};

/// How long to wait for calm on a busy machine, before its noise is accepted.
const PATIENCE: u32 = 10;

/// Seeds from the clock are below this: short to type, and far below 2^53, beyond which programs that read JSON
/// numbers as floating point round them.
const SEEDS: u64 = 1_000_000_000;

/// What the user chose.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    pub(crate) task: Task,
    pub(crate) source: Source,
    /// This many rounds of everything, instead of what the profile's looks decide.
    pub(crate) rounds: Option<usize>,
    /// Time for measuring, instead of the profile's.
    pub(crate) time_budget: Option<Duration>,
    /// Numbers of worker threads; empty for the CPUs that this process may use.
    pub(crate) workers: Vec<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) teller: Teller,
}

/// What is to be measured.
#[derive(Debug)]
pub(crate) enum Task {
    /// All models by the chosen workloads.
    Compare(Choice),
    /// A service, to decide about it.
    Decide {
        service: ServiceProfile,
        /// Whether it is not looked at what changes of it would do.
        described_only: bool,
    },
    /// A service along two axes.
    Map(Request),
}

impl Task {
    fn purpose(&self) -> Purpose {
        match self {
            Task::Compare(_) => Purpose::Comparison,
            Task::Decide { .. } => Purpose::Decision,
            Task::Map(_) => Purpose::Map,
        }
    }

    fn is_faithful(&self) -> bool {
        matches!(self, Task::Compare(Choice { faithful: true, .. }))
    }
}

/// What there is before the first visit.
struct Prepared {
    folder: PathBuf,
    scratch: Scratch,
    programs: Vec<Program>,
    plan: Plan,
    host: Host,
    sources: Option<Sources>,
    /// When measuring began.
    begin: Instant,
}

/// Starts a run and carries it out. Returns its folder, or `None` if it was interrupted.
///
/// # Errors
/// If the settings cannot be met, a strategy cannot be built, or the journal cannot be written.
pub(crate) fn start(settings: Settings) -> anyhow::Result<Option<PathBuf>> {
    stop_on_interrupt()?;
    let teller = settings.teller;
    let option = settings.source.option();
    let prepared = unless_interrupted(prepare(settings), teller, BEFORE_MEASURING)?;
    let Some(prepared) = prepared else { return Ok(None) };
    let Prepared { folder, scratch, programs, plan, host, sources, begin } = prepared;
    let journal = Journal::create(&folder, &plan, &host, sources.as_ref())?;
    let rounds = Rounds::of(&plan);
    let (programs, scratch) = (&programs[..], &scratch);
    Session { folder: &folder, plan: &plan, programs, scratch, begin, option, teller }
        .carry_out(journal, rounds)
}

/// Chooses the cases, builds the strategies and works out what the plan needs. Where it fails or is
/// interrupted, nothing is left in the folder of the run.
fn prepare(settings: Settings) -> anyhow::Result<Prepared> {
    let teller = settings.teller;
    let Settings { profile, task, .. } = settings;
    let (purpose, faithful) = (task.purpose(), task.is_faithful());
    let counts = worker_counts(&settings.workers)?;
    let workers = *counts.last().expect("there is at least one");
    let mut left_out = None;
    let mut needed = Duration::ZERO;
    let (mut described_only, mut first_look) = (false, Duration::ZERO);
    let (cases, service, map) = match task {
        Task::Compare(choice) => {
            (planning::sized(selection::cases(profile, &choice)?, &counts), None, None)
        }
        Task::Decide { service, described_only: only } => {
            let found = planning::decision::cases(&service, profile, only)?;
            for LeftOut { case, reason } in &found.left_out {
                teller.tell(&format!("{case} is not measured: {reason}\n"));
            }
            left_out = (!found.left_out.is_empty()).then_some(found.left_out);
            needed = found.time_limit;
            (described_only, first_look) = (only, found.first_look);
            (planning::sized(found.cases, &counts), Some(service), None)
        }
        Task::Map(request) => {
            let (map, cases) = request.chart(profile, workers)?;
            (cases, Some(request.service), Some(map))
        }
    };
    let workers = cases.iter().map(|sized| sized.workers).fold(workers, usize::max);
    let now = SystemTime::now();
    let folder = settings.out.unwrap_or_else(|| {
        let stamp = humantime::format_rfc3339_seconds(now).to_string().replace(['-', ':'], "");
        let root = workspace_root().unwrap_or_default();
        let what = match purpose {
            Purpose::Comparison => profile.to_string(),
            Purpose::Decision => "decision".to_owned(),
            Purpose::Map => "map".to_owned(),
        };
        root.join("results").join(format!("{stamp}-{what}"))
    });
    // Before building: what is refused should be refused at once.
    Journal::check_free(&folder)?;
    let scratch = scratch_in(&folder)?;
    let programs = settings.source.programs(teller)?;
    let sources = settings.source.code(&programs);
    let begin = Instant::now();
    let peer = own_program()?;
    let usual = selection::time_limit(faithful).max(needed);
    let time_limit = settings.time_limit.unwrap_or(usual);
    let plain = cases.iter().map(|sized| (sized.entry, sized.case.clone())).collect();
    let settled = selection::settle(plain, workers, None)?;
    let capacity = capacity(&settled, &programs, &peer, workers, time_limit, teller)?;
    let per_second = capacity.as_ref().map(|capacity| capacity.per_second);
    let mut grants = BTreeMap::new();
    let mut planned = Vec::new();
    for sized in cases {
        let workload = sized.entry.spec.name;
        let grant = || selection::grant(sized.workers, per_second);
        let grant = grants.entry(sized.workers).or_insert_with(grant);
        let case = selection::settled(&sized.entry, &sized.case, grant)?;
        let answer = launch::oracle(&peer, workload, &case.params, scratch.path(), sized.workers);
        let (expected, unanswered) = match answer {
            Ok(expected) => (expected, None),
            Err(failure) => (Digest::of_number(0), Some(failure)),
        };
        let sampling = selection::sampling(profile, &case);
        let planned_case = planning::planned(&sized, &case, sampling, expected, purpose);
        planned.push(PlannedCase { unanswered, ..planned_case });
    }
    if launch::stopped() {
        anyhow::bail!("interrupted");
    }
    // A comparison goes on with the cases that are left; what is to be said of a service needs all.
    let unanswered = || planned.iter().filter(|case| case.unanswered.is_some());
    let goes_on = purpose == Purpose::Comparison && unanswered().count() < planned.len();
    if let Some(case) = unanswered().next().filter(|_| !goes_on) {
        let reason = case.unanswered.as_ref().map(|failure| failure.reason.as_str());
        anyhow::bail!("{}: {}", case.id, reason.unwrap_or_default());
    }
    let design = match settings.rounds {
        Some(rounds) => record::design(profile, purpose).pooled(rounds),
        None => record::design(profile, purpose),
    };
    let budget = match (settings.time_budget, settings.rounds) {
        (None, None) if purpose == Purpose::Decision => {
            planning::decision::budget(profile, described_only, first_look)
        }
        (None, None) => record::budget(profile, purpose, false),
        (given, _) => given,
    };
    let mut entries = planning::entries(&programs);
    let mut excluded: Vec<_> = service.iter().flat_map(ServiceProfile::left_out).collect();
    if purpose == Purpose::Decision {
        excluded.extend(service.iter().flat_map(ServiceProfile::beyond_limits));
    }
    for entry in &mut entries {
        let reason = excluded.iter().find(|(strategy, _)| *strategy == entry.strategy);
        entry.excluded = reason.map(|(_, reason)| reason.clone());
    }
    let plan = Plan {
        schema: SCHEMA,
        profile,
        faithful,
        seed: settings.seed.unwrap_or_else(|| seed(now)),
        workers,
        design,
        budget_ms: budget.map(|budget| budget.as_millis() as u64),
        time_limit_ms: time_limit.as_millis() as u64,
        cases: planned,
        entries,
        capacity,
        service,
        left_out,
        map,
    };
    let mut host = crate::host::observe(&settings.source, &programs, scratch.path());
    host.calibration = Some(Calibration::measure(&peer));
    Ok(Prepared { folder, scratch, programs, plan, host, sources, begin })
}

/// A seed from the clock.
fn seed(now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64 % SEEDS
}

/// The numbers of worker threads that were asked for, going up.
fn worker_counts(asked: &[usize]) -> Result<Vec<usize>, UsageError> {
    if asked.is_empty() {
        return Ok(vec![selection::workers(None)?]);
    }
    let mut counts: Vec<_> =
        asked.iter().map(|&count| selection::workers(Some(count))).collect::<Result<_, _>>()?;
    counts.sort_unstable();
    counts.dedup();
    Ok(counts)
}

/// Goes on with a run that was interrupted. Returns its folder, or `None` if it was interrupted again.
///
/// # Errors
/// If the folder is not a run, its programs or its machine have changed, or the journal cannot be written.
pub(crate) fn resume(
    folder: &Path,
    bin_dir: Option<PathBuf>,
    teller: Teller,
) -> anyhow::Result<Option<PathBuf>> {
    let run = Run::read(folder)?;
    let mut strategies: Vec<_> = run.plan.entries.iter().map(|e| e.strategy.clone()).collect();
    strategies.dedup();
    stop_on_interrupt()?;
    let source = Source::new(bin_dir, strategies)?;
    let programs = unless_interrupted(source.programs(teller), teller, BEFORE_MEASURING)?;
    let Some(programs) = programs else { return Ok(None) };
    let scratch = scratch_in(folder)?;
    let host = crate::host::observe(&source, &programs, scratch.path());
    let obstacles =
        setting::obstacles(&Setting::of_run(&run), &Setting::here(hashes(&programs), &host));
    if !obstacles.is_empty() {
        return Err(UsageError(format!(
            "--resume {}: what it was measured with has changed since, {}, and its measurements must not be \
             mixed with others: restore that, or start a new run",
            folder.display(),
            obstacles.join("; ")
        ))
        .into());
    }
    let journal = Journal::reopen(folder)?;
    // It may have been written to until it was locked.
    let run = Run::read(folder)?;
    journal.keep(run.whole_bytes())?;
    let begin = Instant::now();
    let begin = begin.checked_sub(run.spent()).unwrap_or(begin);
    let rounds = Rounds::resumed(&run.plan, run.cases);
    let (option, programs, scratch) = (source.option(), &programs[..], &scratch);
    Session { folder, plan: &run.plan, programs, scratch, begin, option, teller }
        .carry_out(journal, rounds)
}

/// The hash of each strategy's program.
fn hashes(programs: &[Program]) -> impl Iterator<Item = (&str, &str)> {
    programs.iter().map(|program| (program.strategy.as_str(), program.hash.as_str()))
}

/// A run being carried out.
struct Session<'a> {
    folder: &'a Path,
    plan: &'a Plan,
    programs: &'a [Program],
    scratch: &'a Scratch,
    /// When measuring began; earlier by what it took before it was interrupted.
    begin: Instant,
    /// The option that names where the programs are, where they are not built.
    option: String,
    teller: Teller,
}

impl Session<'_> {
    fn carry_out(
        &self,
        mut journal: Journal,
        mut rounds: Rounds<'_>,
    ) -> anyhow::Result<Option<PathBuf>> {
        let peer = own_program()?;
        journal.count_from(self.begin)?;
        let mut schedule = Schedule::new(self.plan, &rounds.cases);
        let mut gate = Gate::new();
        let mut progress = Progress::new(self.plan, self.teller);
        let (mut visits, mut rejected, mut begun) = (0, 0, 0);
        while let Some(next) = schedule.next(self.left()) {
            begun += 1;
            let case = &self.plan.cases[next.case].id;
            let before = gate.before();
            let mut cells = next.cells.clone();
            let mut position = 0;
            while let Some(cell) = cells.get(position).copied() {
                position += 1;
                let due = Duration::try_from_secs_f64(schedule.seconds_due());
                let left = Left { budget: self.left(), due: due.unwrap_or(Duration::MAX) };
                progress.before(case, &self.plan.entries[cell.entry].id, &next, left);
                let measurement = self.visit(&next, cell, &peer)?;
                if launch::stopped() {
                    journal.count_from(self.begin)?;
                    progress.clear();
                    self.teller.insist(&format!(
                        "interrupted after {visits} visits; go on with --resume {}{}\n",
                        self.folder.display(),
                        self.option
                    ));
                    return Ok(None);
                }
                visits += 1;
                rounds.add_measurement(measurement.clone()).expect("it is in the plan");
                journal.measured(measurement)?;
                if position == next.cells.len() {
                    cells.extend(schedule.first_twin(next.case, &rounds.cases[next.case]));
                }
            }
            let (noise, reason) = gate.after(&before, next.case);
            rejected += u32::from(reason.is_some());
            let end = RoundEnd { round: next.round, case: case.clone(), noise, rejected: reason };
            rounds.add_end(end.clone()).expect("it is in the plan");
            journal.ended(end)?;
            schedule.update(next.case, &rounds.cases[next.case]);
            if gate.is_overwhelmed() {
                progress.clear();
                let throttled = gate.is_throttled();
                self.teller.tell(if throttled {
                    "most rounds are throttled by the CPU quota: going on with that\n"
                } else {
                    "most rounds are disturbed by others: waiting for calm\n"
                });
                let is_calm = |_| !launch::stopped() && gate.is_calm();
                let calm = !throttled && (0..PATIENCE).any(is_calm);
                if gate.go_on(calm) && !throttled {
                    self.teller
                        .tell("the machine stays busy: going on with the noise that it has\n");
                }
            }
        }
        progress.clear();
        let wall = span(self.begin.elapsed());
        self.teller.tell(&match (begun, rejected) {
            (0, _) => "the run is complete: nothing is left to measure\n".to_owned(),
            (_, 0) => format!("measured for {wall}\n"),
            _ => format!(
                "measured for {wall}; {rejected} of {begun} rounds were rejected as noisy\n"
            ),
        });
        Ok(Some(self.folder.to_owned()))
    }

    fn visit(&self, next: &Next, cell: Cell, peer: &Path) -> anyhow::Result<Measurement> {
        let (case, entry) = (&self.plan.cases[next.case], &self.plan.entries[cell.entry]);
        let workload = find(&case.workload).context("reading the plan checked its workloads")?;
        let program = self.programs.iter().find(|program| program.strategy == entry.strategy);
        let visit = Visit {
            program: &program.context("entries are made from programs")?.path,
            peer,
            variant: &entry.variant,
            workload: &case.workload,
            kind: workload.kind,
            backend: workload.backend,
            params: &case.params,
            workers: case.workers,
            placement: case.placement,
            sampling: case.sampling,
            scratch: self.scratch.path(),
            time_limit: self.plan.time_limit(),
            expected: case.expected,
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = Instant::now();
        let outcome = match case.unanswered.clone().map_or_else(|| visit.run(), Err) {
            Ok(measured) => Outcome::Measured(measured),
            Err(failure) => Outcome::Failed(failure),
        };
        Ok(Measurement {
            round: next.round,
            case: case.id.clone(),
            entry: entry.id.clone(),
            twin: cell.twin,
            started_ms: started.as_millis() as u64,
            visit_ns: clock.elapsed().as_nanos() as u64,
            outcome,
        })
    }

    /// Time that the plan leaves for measuring.
    fn left(&self) -> Option<Duration> {
        self.plan.budget().map(|budget| budget.saturating_sub(self.begin.elapsed()))
    }
}

pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

/// What is said where nothing is lost by an interruption.
const BEFORE_MEASURING: &str = "interrupted before anything was measured\n";

/// On the first Ctrl-C, kills what is running, so that the journal ends with a whole line; on the second,
/// ends at once.
pub(crate) fn stop_on_interrupt() -> anyhow::Result<()> {
    interrupt::stop_on_interrupt().context("cannot watch for Ctrl-C")
}

/// What was interrupted has no outcome, and a failure is only the echo of the Ctrl-C: says so instead.
pub(crate) fn unless_interrupted<T>(
    outcome: anyhow::Result<T>,
    teller: Teller,
    said: &str,
) -> anyhow::Result<Option<T>> {
    if launch::stopped() {
        teller.insist(said);
        return Ok(None);
    }
    outcome.map(Some)
}

/// The folder for input files, removed when the run ends.
fn scratch_in(folder: &Path) -> Result<Scratch, UsageError> {
    Scratch::create(&folder.join("scratch")).map_err(|error| {
        UsageError(format!(
            "cannot write to {}: {error}; choose another folder with --out",
            folder.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_from_the_clock_survive_readers_of_json() {
        // Nanoseconds since 1970 are beyond 2^53.
        let now = UNIX_EPOCH + Duration::from_nanos(1_795_248_659_329_812_875);
        assert_eq!(seed(now), 329_812_875);
    }
}
