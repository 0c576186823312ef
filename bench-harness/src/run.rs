//! Carries out a plan: visit after visit, each written down before the next.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use worker::launch::{self, Visit};
use worker::protocol::SamplingPlan;
use worker::scratch::Scratch;
use worker::selection::{self, Choice, UsageError};
use workloads::{Case, Entry, Metric, Profile, Site, find};

use crate::host::Host;
use crate::journal::{Journal, Measurement, Outcome, Run};
use crate::plan::{self, Capacity, Plan, PlannedCase, PlannedEntry, SCHEMA, Step};
use crate::programs::{Program, Source, workspace_root};

/// What the user chose.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    pub(crate) choice: Choice,
    pub(crate) source: Source,
    pub(crate) rounds: Option<u32>,
    /// Numbers of worker threads; empty for the CPUs that this process may use.
    pub(crate) workers: Vec<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) time_limit: Option<Duration>,
}

/// Starts a run and carries it out. Returns its folder, or `None` if it was interrupted.
///
/// # Errors
/// If the settings cannot be met, a strategy cannot be built, or the journal cannot be written.
pub(crate) fn start(settings: Settings) -> anyhow::Result<Option<PathBuf>> {
    let cases = selection::cases(settings.profile, &settings.choice)?;
    let counts = worker_counts(&settings.workers)?;
    let workers = *counts.last().expect("there is at least one");
    let now = SystemTime::now();
    let folder = settings.out.unwrap_or_else(|| {
        let stamp = humantime::format_rfc3339_seconds(now).to_string().replace(['-', ':'], "");
        let root = workspace_root().unwrap_or_default();
        root.join("results").join(format!("{stamp}-{}", settings.profile))
    });
    stop_on_interrupt()?;
    // Before building: what is refused should be refused at once.
    Journal::check_free(&folder)?;
    let scratch = scratch_in(&folder)?;
    let Some(programs) = unless_interrupted(settings.source.programs())? else { return Ok(None) };
    let begin = Instant::now();
    let peer = own_program()?;
    let time_limit =
        settings.time_limit.unwrap_or_else(|| selection::time_limit(settings.choice.faithful));
    let settled = selection::settle(cases.clone(), workers, None)?;
    let capacity = capacity(&settled, &programs, &peer, workers, time_limit)?;
    if launch::stopped() {
        return Ok(None);
    }
    let per_second = capacity.as_ref().map(|capacity| capacity.per_second);
    let grants: BTreeMap<_, _> =
        counts.iter().map(|&workers| (workers, selection::grant(workers, per_second))).collect();
    let mut planned = Vec::new();
    for sized in plan::sized(cases, &counts) {
        let workload = sized.entry.spec.name;
        let case = selection::settled(&sized.entry, &sized.case, &grants[&sized.workers])?;
        let expected = launch::oracle(&peer, workload, &case.params, scratch.path(), sized.workers)
            .map_err(|failure| anyhow::anyhow!("the oracle of {}: {}", case.id, failure.reason))?;
        let sampling = selection::sampling(settings.profile, &case);
        planned.push(PlannedCase::new(&sized, &case, sampling, expected));
    }
    let clock = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let plan = Plan {
        schema: SCHEMA,
        profile: settings.profile,
        faithful: settings.choice.faithful,
        seed: settings.seed.unwrap_or(clock),
        workers,
        rounds: settings.rounds.unwrap_or_else(|| plan::rounds(settings.profile)),
        time_limit_ms: time_limit.as_millis() as u64,
        cases: planned,
        entries: plan::entries(&programs),
        capacity,
    };
    let host = Host::observe(workspace_root().as_deref());
    let mut journal = Journal::create(&folder, &plan, &host)?;
    let steps = plan.steps();
    carry_out(&folder, &plan, &steps, &programs, &scratch, &mut journal, begin)
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

/// What a search for a contestant's capacity has found.
struct Found<'a> {
    planned: PlannedEntry,
    program: &'a Program,
    rate: f64,
    /// Whether it was searched for twice; then it is the better of the two.
    confirmed: bool,
}

/// The lowest capacity of all contestants, from which the rates of open loops follow, so that everybody
/// can keep up with them; `None` where no case asks for it.
fn capacity(
    cases: &[(Entry, Case)],
    programs: &[Program],
    peer: &Path,
    workers: usize,
    time_limit: Duration,
) -> anyhow::Result<Option<Capacity>> {
    let Some((rated, _)) = cases.iter().find(|(_, case)| case.rated) else { return Ok(None) };
    let search = cases.iter().find(|(entry, case)| {
        entry.spec.name == rated.spec.name && case.metric == Metric::Capacity
    });
    let Some((entry, case)) = search else { return Ok(None) };
    tell(&format!("looking for the capacity of {}\n", entry.spec.name));
    let site = Site { scratch: Path::new(""), workers, backend: None };
    let expected = entry.expected(&case.params, &site)?;
    let search = |program: &Program, variant: &str| {
        let visit = Visit {
            program: &program.path,
            peer,
            variant,
            workload: entry.spec.name,
            kind: entry.kind,
            backend: entry.backend,
            params: &case.params,
            workers,
            sampling: SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 },
            scratch: Path::new(""),
            time_limit,
            expected,
        };
        // Whoever fails here fails again in the run, and is a row there.
        visit.run().ok()?.fact("capacity_per_second").map(|rate| rate as f64)
    };
    let mut found = Vec::new();
    for planned in plan::entries(programs) {
        let program = programs.iter().find(|p| p.strategy == planned.strategy);
        let program = program.context("entries are made from programs")?;
        let default = program.description.variants.first() == Some(&planned.variant);
        if planned.strategy == "floor" || !default || !planned.has(entry.spec.name) {
            continue;
        }
        let first = search(program, &planned.variant);
        found.extend(first.map(|rate| Found { planned, program, rate, confirmed: false }));
    }
    // One search can meet a bad moment, and the rates of all would follow from it.
    while let Some(lowest) = found.iter_mut().min_by(|a, b| a.rate.total_cmp(&b.rate)) {
        if lowest.confirmed || launch::stopped() {
            let (entry, per_second) = (lowest.planned.id.clone(), lowest.rate);
            return Ok(Some(Capacity { entry, per_second }));
        }
        let again = search(lowest.program, &lowest.planned.variant).unwrap_or(0.0);
        lowest.rate = lowest.rate.max(again);
        lowest.confirmed = true;
    }
    // With nobody to go by, such as when only the floor runs, a rate that any server keeps up with.
    Ok(Some(Capacity { entry: "nobody".to_owned(), per_second: 1_000.0 }))
}

/// Goes on with a run that was interrupted. Returns its folder, or `None` if it was interrupted again.
///
/// # Errors
/// If the folder is not a run, the strategies have changed, or the journal cannot be written.
pub(crate) fn resume(folder: &Path, bin_dir: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    let run = Run::read(folder)?;
    let mut strategies: Vec<_> = run.plan.entries.iter().map(|e| e.strategy.clone()).collect();
    strategies.dedup();
    stop_on_interrupt()?;
    let programs = Source::new(bin_dir, strategies)?.programs();
    let Some(programs) = unless_interrupted(programs)? else { return Ok(None) };
    if let Some(changed) = run.plan.entries.iter().find(|entry| {
        programs.iter().any(|p| p.strategy == entry.strategy && p.hash != entry.program_blake3)
    }) {
        return Err(UsageError(format!(
            "--resume {}: strategy {} has changed since the run began, and its measurements must not \
             be mixed: restore it, or start a new run",
            folder.display(),
            changed.strategy
        ))
        .into());
    }
    let begin = Instant::now();
    let (mut journal, run) = Journal::reopen(folder)?;
    if run.remaining().is_empty() {
        tell("the run is complete: nothing is left to measure\n");
        return Ok(Some(folder.to_owned()));
    }
    let scratch = scratch_in(folder)?;
    let steps = run.remaining();
    carry_out(folder, &run.plan, &steps, &programs, &scratch, &mut journal, begin)
}

fn carry_out(
    folder: &Path,
    plan: &Plan,
    steps: &[Step],
    programs: &[Program],
    scratch: &Scratch,
    journal: &mut Journal,
    begin: Instant,
) -> anyhow::Result<Option<PathBuf>> {
    let peer = own_program()?;
    let paths: BTreeMap<_, _> = programs.iter().map(|p| (p.strategy.as_str(), &p.path)).collect();
    let mut given_up = vec![vec![false; plan.entries.len()]; plan.cases.len()];
    let mut measured_ns = 0;
    let mut progress = Progress::new(plan, steps.len(), begin);
    for (number, step) in steps.iter().enumerate() {
        if given_up[step.case][step.entry] {
            continue;
        }
        let (case, entry) = (&plan.cases[step.case], &plan.entries[step.entry]);
        progress.before(number, step, &case.id, &entry.id);
        let workload = find(&case.workload).context("reading the plan checked its workloads")?;
        let visit = Visit {
            program: paths[entry.strategy.as_str()],
            peer: &peer,
            variant: &entry.variant,
            workload: &case.workload,
            kind: workload.kind,
            backend: workload.backend,
            params: &case.params,
            workers: case.workers,
            sampling: case.sampling,
            scratch: scratch.path(),
            time_limit: plan.time_limit(),
            expected: case.expected,
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = Instant::now();
        let outcome = match visit.run() {
            Ok(measured) => Outcome::Measured(measured),
            Err(failure) => Outcome::Failed(failure),
        };
        if launch::stopped() {
            progress.clear();
            tell(&format!(
                "interrupted after {number} of {} visits; go on with --resume {}\n",
                steps.len(),
                folder.display()
            ));
            return Ok(None);
        }
        if let Outcome::Measured(measured) = &outcome {
            measured_ns += measured.measured_ns();
        }
        given_up[step.case][step.entry] |= outcome.gives_up();
        journal.append(&Measurement {
            schema: SCHEMA,
            round: step.round,
            case: case.id.clone(),
            entry: entry.id.clone(),
            started_ms: started.as_millis() as u64,
            visit_ns: clock.elapsed().as_nanos() as u64,
            outcome,
        })?;
    }
    progress.clear();
    let wall = begin.elapsed();
    tell(&format!(
        "measured for {:.1} s; {:.0} % of that inside measured windows and their warm-up\n",
        wall.as_secs_f64(),
        100.0 * measured_ns as f64 / wall.as_nanos() as f64
    ));
    Ok(Some(folder.to_owned()))
}

pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

/// On the first Ctrl-C, kills what is running, so that the journal ends with a whole line; on the second,
/// ends at once.
pub(crate) fn stop_on_interrupt() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if launch::stopped() {
            std::process::exit(130);
        }
        launch::stop();
    })
    .context("cannot watch for Ctrl-C")
}

/// `None` where a failure is only the echo of a Ctrl-C.
fn unless_interrupted<T>(outcome: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    if launch::stopped() { Ok(None) } else { outcome.map(Some) }
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

/// Writes to standard error; whether anybody reads it must not matter to a run.
fn tell(text: &str) {
    let mut err = std::io::stderr();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Tells on standard error how far the run is, between two visits and never during one.
struct Progress {
    terminal: bool,
    rounds: u32,
    steps: usize,
    begin: Instant,
    round: Option<u32>,
}

impl Progress {
    fn new(plan: &Plan, steps: usize, begin: Instant) -> Self {
        let terminal = std::io::stderr().is_terminal();
        tell(&format!(
            "{} profile; cases: {}, entries: {}, rounds: {}, workers: {}, seed: {}\n",
            plan.profile,
            plan.cases.len(),
            plan.entries.len(),
            plan.rounds,
            plan.workers,
            plan.seed
        ));
        Progress { terminal, rounds: plan.rounds, steps, begin, round: None }
    }

    fn before(&mut self, number: usize, step: &Step, case: &str, entry: &str) {
        let elapsed = self.begin.elapsed().as_secs_f64();
        let (round, rounds) = (step.round + 1, self.rounds);
        if self.terminal {
            let left = elapsed / number.max(1) as f64 * (self.steps - number) as f64;
            let left =
                if number < 10 { String::new() } else { format!(", about {left:.0} s left") };
            tell(&format!("\r\x1b[Kround {round} of {rounds}: {case} on {entry}{left}"));
        } else if self.round != Some(step.round) {
            tell(&format!("round {round} of {rounds} begins after {elapsed:.0} s\n"));
        }
        self.round = Some(step.round);
    }

    fn clear(&self) {
        if self.terminal {
            tell("\r\x1b[K");
        }
    }
}
