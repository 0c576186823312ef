//! What a run is before the first visit: cases chosen, strategies built, plan made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use launch::scratch::Scratch;
use launch::selection;
use launch::selection::Choice;
use machine::Calibration;
use record::journal::Journal;
use record::map::Map;
use record::service::ServiceProfile;
use record::{Host, LeftOut, Plan, PlannedCase, Purpose, SCHEMA, Sources};
use workloads::{Digest, Profile, UsageError};

use crate::capacity::capacity;
use crate::planning;
use crate::planning::map::Request;
use crate::planning::{SizedCase, decision};
use crate::programs::{Program, Source, own_program, workspace_root};
use crate::progress::Teller;

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

    /// The cases that it takes with these numbers of worker threads, which go up.
    fn chosen(self, profile: Profile, counts: &[usize], teller: Teller) -> anyhow::Result<Chosen> {
        let (purpose, faithful) = (self.purpose(), self.is_faithful());
        let mut chosen = Chosen {
            cases: Vec::new(),
            service: None,
            map: None,
            left_out: None,
            time_limit: selection::time_limit(faithful),
            budget: record::budget(profile, purpose, false),
        };
        match self {
            Task::Compare(choice) => {
                chosen.cases = planning::sized(selection::cases(profile, &choice)?, counts);
            }
            Task::Decide { service, described_only } => {
                let found = decision::cases(&service, profile, described_only)?;
                for LeftOut { case, reason } in &found.left_out {
                    teller.tell(&format!("{case} is not measured: {reason}\n"));
                }
                chosen.cases = planning::sized(found.cases, counts);
                chosen.left_out = (!found.left_out.is_empty()).then_some(found.left_out);
                chosen.time_limit = chosen.time_limit.max(found.time_limit);
                chosen.budget = decision::budget(profile, described_only, found.first_look);
                chosen.service = Some(service);
            }
            Task::Map(request) => {
                let workers = *counts.last().expect("there is at least one");
                let (map, cases) = request.chart(profile, workers)?;
                (chosen.cases, chosen.map) = (cases, Some(map));
                chosen.service = Some(request.service);
            }
        }
        Ok(chosen)
    }

    fn is_faithful(&self) -> bool {
        matches!(self, Task::Compare(Choice { faithful: true, .. }))
    }
}

/// The cases of a task and what follows from them.
struct Chosen {
    cases: Vec<SizedCase>,
    service: Option<ServiceProfile>,
    map: Option<Map>,
    left_out: Option<Vec<LeftOut>>,
    /// What a process may need.
    time_limit: Duration,
    /// Time for measuring, where no other is given.
    budget: Option<Duration>,
}

/// What there is before the first visit.
pub(crate) struct Prepared {
    pub(crate) folder: PathBuf,
    pub(crate) scratch: Scratch,
    pub(crate) programs: Vec<Program>,
    pub(crate) plan: Plan,
    pub(crate) host: Host,
    pub(crate) sources: Option<Sources>,
    /// When measuring began.
    pub(crate) begin: Instant,
}

/// Chooses the cases, builds the strategies and works out what the plan needs. Where it fails or is
/// interrupted, nothing is left in the folder of the run.
///
/// # Errors
/// If the settings cannot be met, a strategy cannot be built, or a case that is needed has no right answer.
pub(crate) fn prepare(settings: Settings) -> anyhow::Result<Prepared> {
    let teller = settings.teller;
    let Settings { profile, task, .. } = settings;
    let (purpose, faithful) = (task.purpose(), task.is_faithful());
    let counts = worker_counts(&settings.workers)?;
    let chosen = task.chosen(profile, &counts, teller)?;
    let workers = *counts.last().expect("there is at least one");
    let workers = chosen.cases.iter().map(|sized| sized.workers).fold(workers, usize::max);
    let now = SystemTime::now();
    let folder = settings.out.unwrap_or_else(|| folder_of(purpose, profile, now));
    // Before building: what is refused should be refused at once.
    Journal::check_free(&folder)?;
    let scratch = scratch_in(&folder)?;
    let programs = settings.source.programs(teller)?;
    let sources = settings.source.code(&programs);
    let begin = Instant::now();
    let peer = own_program()?;
    let time_limit = settings.time_limit.unwrap_or(chosen.time_limit);
    let plain = chosen.cases.iter().map(|sized| (sized.entry, sized.case.clone())).collect();
    let settled = selection::settle(plain, workers, None)?;
    let capacity = capacity(&settled, &programs, &peer, workers, time_limit, teller)?;
    let per_second = capacity.as_ref().map(|capacity| capacity.per_second);
    let cases = planned(&chosen.cases, profile, purpose, per_second, &peer, scratch.path())?;
    let design = match settings.rounds {
        Some(rounds) => record::design(profile, purpose).pooled(rounds),
        None => record::design(profile, purpose),
    };
    let budget = match (settings.time_budget, settings.rounds) {
        (None, None) => chosen.budget,
        (given, _) => given,
    };
    let service = chosen.service;
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
        cases,
        entries,
        capacity,
        service,
        left_out: chosen.left_out,
        map: chosen.map,
    };
    let mut host = crate::host::observe(&settings.source, &programs, scratch.path());
    host.calibration = Some(Calibration::measure(&peer));
    Ok(Prepared { folder, scratch, programs, plan, host, sources, begin })
}

/// The planned cases with their right answers.
fn planned(
    cases: &[SizedCase],
    profile: Profile,
    purpose: Purpose,
    per_second: Option<f64>,
    peer: &Path,
    scratch: &Path,
) -> anyhow::Result<Vec<PlannedCase>> {
    let mut grants = BTreeMap::new();
    let mut planned = Vec::new();
    for sized in cases {
        let workload = sized.entry.spec.name;
        let grant = || selection::grant(sized.workers, per_second);
        let grant = grants.entry(sized.workers).or_insert_with(grant);
        let case = selection::settled(&sized.entry, &sized.case, grant)?;
        let answer = launch::oracle(peer, workload, &case.params, scratch, sized.workers);
        let (expected, unanswered) = match answer {
            Ok(expected) => (expected, None),
            Err(failure) => (Digest::of_number(0), Some(failure)),
        };
        let sampling = selection::sampling(profile, &case);
        let planned_case = planning::planned(sized, &case, sampling, expected, purpose);
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
    Ok(planned)
}

/// Where a run lies whose folder is not given.
fn folder_of(purpose: Purpose, profile: Profile, now: SystemTime) -> PathBuf {
    let stamp = humantime::format_rfc3339_seconds(now).to_string().replace(['-', ':'], "");
    let root = workspace_root().unwrap_or_default();
    let what = match purpose {
        Purpose::Comparison => profile.to_string(),
        Purpose::Decision => "decision".to_owned(),
        Purpose::Map => "map".to_owned(),
    };
    root.join("results").join(format!("{stamp}-{what}"))
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

/// The folder for input files, removed when the run ends.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn scratch_in(folder: &Path) -> Result<Scratch, UsageError> {
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
