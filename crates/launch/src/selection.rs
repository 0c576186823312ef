//! Which cases to measure, and how often: from what the user typed to checked [`Case`]s.

use std::time::{Duration, Instant};

use workloads::grain::toil;
use workloads::service::burn;
use workloads::{Case, Entry, Grant, Kind, Profile, Sampling, UsageError, catalog, find, set};

use machine::limits::Limits;
use protocol::SamplingPlan;

/// What the user may choose about the cases.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Names of workloads, such as `gather`, or ids of cases, such as `gather/n=1000`; empty for all.
    pub workloads: Vec<String>,
    /// `key=value` assignments.
    pub params: Vec<String>,
    /// Whether the requests of `endpoints` take one second, as in the experiment they come from.
    pub faithful: bool,
}

/// The cases that a profile and a choice ask for, in the order of the catalogue. Some may not
/// [fit](check_fit) this machine: measuring them says so.
///
/// # Errors
/// If a workload or a parameter is unknown or out of range, or a parameter or no case at all fits this machine.
pub fn cases(profile: Profile, choice: &Choice) -> Result<Vec<(Entry, Case)>, UsageError> {
    let names = &whole_names(&choice.workloads);
    let chosen = chosen_workloads(names)?;
    for assignment in &choice.params {
        let key = assignment.split('=').next().unwrap_or_default().trim();
        if assignment.contains('=') && !chosen.iter().any(|e| e.keys.iter().any(|k| k.name == key))
        {
            return Err(UsageError(unknown_key(key, &chosen)));
        }
    }
    let mut cases: Vec<(Entry, Case)> = Vec::new();
    for entry in chosen {
        let own = chosen_cases(&entry, profile, names)?;
        if own.is_empty() && !choice.workloads.is_empty() {
            return Err(UsageError(format!(
                "workload `{}` has no case in the {profile} profile: take --profile smoke, whose case \
                 other parameters make into any other",
                entry.spec.name
            )));
        }
        for case in own {
            let case = adjusted(&entry, case, choice)
                .map_err(|reason| UsageError(format!("{}: {reason}", entry.spec.name)))?;
            if !cases.iter().any(|(_, other)| other.id == case.id) {
                cases.push((entry, case));
            }
        }
    }
    let misfits: Vec<_> =
        cases.iter().filter_map(|(entry, case)| check_fit(entry, case).err()).collect();
    match misfits.first() {
        Some(reason) if misfits.len() == cases.len() => Err(UsageError(format!(
            "no chosen case fits here: {}: {reason}; choose another workload or raise that limit",
            cases[0].1.id
        ))),
        _ => Ok(cases),
    }
}

/// Says why not where a case does not fit this machine, whatever strategy does it.
///
/// # Errors
/// Half a sentence, such as `1,000 connections, 960 fit here (ulimit -Hn)`.
pub fn check_fit(entry: &Entry, case: &Case) -> Result<(), String> {
    // A batch workload holds another handle of each connection.
    let files = match entry.kind {
        Kind::Batch => 2,
        Kind::Service => 1,
    };
    machine::limits::check_fit(case.connections as u64, files)
}

/// Fills in what depends on this machine. The capacity matters to [rated](Case::rated) cases only.
///
/// # Errors
/// If a parameter that follows is out of range.
pub fn settle(
    cases: Vec<(Entry, Case)>,
    workers: usize,
    capacity: Option<f64>,
) -> Result<Vec<(Entry, Case)>, UsageError> {
    let grant = grant(workers, capacity);
    cases.into_iter().map(|(entry, case)| Ok((entry, settled(&entry, &case, &grant)?))).collect()
}

/// One case with what depends on this machine filled in.
///
/// # Errors
/// If a parameter that follows is out of range.
pub fn settled(entry: &Entry, case: &Case, grant: &Grant) -> Result<Case, UsageError> {
    entry.settle(&case.params, grant).map_err(|error| UsageError(format!("{}: {error}", case.id)))
}

/// What is known of this machine, beside the capacity.
pub fn grant(workers: usize, capacity: Option<f64>) -> Grant {
    Grant {
        workers,
        unit_ns: (fastest_ns(|| burn(1, 1_000)) / 1_000).max(1),
        steps_ns: (fastest_ns(|| toil(1, 100_000)) / 100).max(1),
        threads: machine::threads_that_fit(),
        capacity,
    }
}

/// Tries of which the fastest counts: what is computed as described is held against the CPUs, so that a unit that was
/// measured in a bad moment would make windows void.
const TRIES: usize = 25;

/// Time that some computing takes here, nanoseconds: the fastest of some tries.
fn fastest_ns(compute: impl Fn() -> u64) -> u64 {
    let once = || {
        let start = Instant::now();
        std::hint::black_box(compute());
        start.elapsed()
    };
    (0..TRIES).map(|_| once()).min().expect("there were tries").as_nanos() as u64
}

fn chosen_workloads(names: &[String]) -> Result<Vec<Entry>, UsageError> {
    for name in names {
        if find(workload_of(name)).is_none() {
            let known: Vec<_> = catalog().iter().map(|entry| entry.spec.name).collect();
            let known = known.join(", ");
            return Err(UsageError(format!(
                "unknown workload `{name}`: the workloads are {known}"
            )));
        }
    }
    let wanted = |entry: &Entry| {
        names.is_empty() || names.iter().any(|name| workload_of(name) == entry.spec.name)
    };
    Ok(catalog().into_iter().filter(wanted).collect())
}

/// The names as they were meant: a list is cut at commas, and so are ids such as `channel/1:1,cap=64`.
fn whole_names(pieces: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in pieces {
        match names.last_mut().filter(|last| last.contains('/')) {
            Some(last) if piece.contains('=') && !piece.contains('/') => {
                last.push(',');
                last.push_str(piece);
            }
            _ => names.push(piece.clone()),
        }
    }
    names
}

/// The workload that is named, or whose case is.
fn workload_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(workload, _)| workload)
}

/// The cases of a workload in a profile, unless single ones are named: these may be of any profile.
fn chosen_cases(
    entry: &Entry,
    profile: Profile,
    names: &[String],
) -> Result<Vec<Case>, UsageError> {
    let own = entry.cases(profile);
    let of_entry = || names.iter().filter(|name| workload_of(name) == entry.spec.name);
    if of_entry().all(|name| !name.contains('/')) {
        return Ok(own);
    }
    let profiles = [Profile::Quick, Profile::Standard, Profile::Thorough, Profile::Smoke];
    let others = profiles.into_iter().flat_map(|other| entry.cases(other));
    let all: Vec<_> = own.iter().cloned().chain(others).collect();
    let mut cases = Vec::new();
    for name in of_entry() {
        match all.iter().find(|case| case.id == *name) {
            _ if !name.contains('/') => cases.extend(own.iter().cloned()),
            Some(case) => cases.push(case.clone()),
            None => {
                let mut known: Vec<_> = all.iter().map(|case| case.id.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                let (name, known) = (name, known.join(", "));
                return Err(UsageError(format!("unknown case `{name}`: there are {known}")));
            }
        }
    }
    Ok(cases)
}

fn unknown_key(key: &str, chosen: &[Entry]) -> String {
    let known: Vec<_> = chosen
        .iter()
        .map(|entry| {
            let keys: Vec<_> = entry.keys.iter().map(|key| key.name).collect();
            format!("{} has {}", entry.spec.name, keys.join(", "))
        })
        .collect();
    format!("unknown parameter `{key}`: {}", known.join("; "))
}

fn adjusted(entry: &Entry, case: Case, choice: &Choice) -> Result<Case, String> {
    let own_fits = check_fit(entry, &case).is_ok();
    let mut params = case.params;
    let mut given = Vec::new();
    if choice.faithful && entry.spec.name == "endpoints" {
        set(&mut params, entry.keys, "wait_ms=1000").map_err(|e| e.to_string())?;
    }
    for assignment in &choice.params {
        let key = assignment.split('=').next().unwrap_or_default().trim();
        if !assignment.contains('=') || entry.keys.iter().any(|known| known.name == key) {
            set(&mut params, entry.keys, assignment).map_err(|e| e.to_string())?;
            given.push(assignment.trim());
        }
    }
    let case = entry.case(&params).map_err(|e| e.to_string())?;
    match check_fit(entry, &case) {
        Err(reason) if own_fits => {
            let given = given.join(", ");
            Err(format!("{given}: {reason}; lower it or raise the hard limit"))
        }
        _ => Ok(case),
    }
}

/// The number of worker threads: what was asked for, or the whole CPUs that the affinity mask and the
/// control groups allow.
///
/// # Errors
/// If none or more than the system gives are asked for.
pub fn workers(asked: Option<usize>) -> Result<usize, UsageError> {
    let refuse = |reason: String| Err(UsageError(format!("--workers {reason}")));
    match asked {
        None => Ok(Limits::of_this_process().workers()),
        Some(0) => refuse("must be at least 1".to_owned()),
        Some(workers) => match machine::check_threads(workers as u64) {
            Ok(()) => Ok(workers),
            Err(error) => refuse(format!("{workers}: {error}; give fewer")),
        },
    }
}

/// How often a profile runs a case inside one process.
pub fn sampling(profile: Profile, case: &Case) -> SamplingPlan {
    let millis = |ms| Duration::from_millis(ms).as_nanos() as u64;
    if matches!(case.sampling, Sampling::Once | Sampling::FirstRound) {
        return SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 };
    }
    match profile {
        Profile::Smoke => SamplingPlan { warmup: 1, min_samples: 1, budget_ns: 0 },
        Profile::Quick => SamplingPlan { warmup: 1, min_samples: 1, budget_ns: millis(40) },
        Profile::Standard => SamplingPlan { warmup: 1, min_samples: 1, budget_ns: millis(100) },
        Profile::Thorough => SamplingPlan { warmup: 2, min_samples: 3, budget_ns: millis(400) },
    }
}

/// How long one process may take before it is killed, unless the user says otherwise.
pub fn time_limit(faithful: bool) -> Duration {
    // A single event loop that blocks needs 100 s for a hundred requests of one second.
    Duration::from_secs(if faithful { 300 } else { 60 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(workloads: &[&str], params: &[&str]) -> Result<Vec<String>, String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let choice = Choice { workloads: owned(workloads), params: owned(params), faithful: false };
        let cases = cases(Profile::Quick, &choice).map_err(|e| e.to_string())?;
        Ok(cases.into_iter().map(|(_, case)| case.id).collect())
    }

    #[test]
    fn nothing_chosen_means_everything() {
        let all = choose(&[], &[]).unwrap();
        assert!(all.contains(&"gather/n=10000".to_owned()));
        assert!(all.contains(&"echo/c=64".to_owned()));
        assert!(all.contains(&"map".to_owned()));
    }

    #[test]
    fn cases_that_a_parameter_makes_equal_are_measured_once() {
        assert_eq!(choose(&["gather"], &["n=7"]).unwrap(), ["gather/n=7"]);
    }

    #[test]
    fn single_cases_are_named_by_their_ids_whatever_profile_has_them() {
        assert_eq!(choose(&["gather/n=10000"], &[]).unwrap(), ["gather/n=10000"]);
        assert_eq!(choose(&["map", "gather/n=100"], &[]).unwrap(), ["gather/n=100", "map"]);
        assert_eq!(choose(&["channel/1:1", "cap=64"], &[]).unwrap(), ["channel/1:1,cap=64"]);
        let whole = choose(&["join"], &[]).unwrap();
        assert_eq!(choose(&["join/cutoff=3", "join"], &[]).unwrap().len(), whole.len());
        let unknown = choose(&["gather/n=17"], &[]).unwrap_err();
        assert!(
            unknown.starts_with("unknown case `gather/n=17`: there are gather/n="),
            "{unknown}"
        );
    }

    #[test]
    fn every_refusal_names_the_input_and_the_mend() {
        let unknown = choose(&["gahter"], &[]).unwrap_err();
        assert!(unknown.starts_with("unknown workload `gahter`: the workloads are gather, "));
        let unknown = choose(&["map"], &["blokcs=3"]).unwrap_err();
        assert_eq!(unknown, "unknown parameter `blokcs`: map has blocks, kib, chunk");
        let range = choose(&["map"], &["blocks=0"]).unwrap_err();
        assert_eq!(
            range,
            "map: parameter `blocks=0` is out of range: give a whole number from 1 to 16384"
        );
        let none = choose(&["traffic"], &[]).unwrap_err();
        assert!(none.contains("`traffic` has no case in the quick profile"), "{none}");
        let text = choose(&["map"], &["blocks"]).unwrap_err();
        assert!(text.contains("`blocks` is not an assignment: write it as key=value"));
        let files = choose(&["echo"], &["connections=900000"]).unwrap_err();
        assert!(
            files.contains("connections=900000: 900,000 connections, ")
                && files.contains("fit here"),
            "{files}"
        );
    }

    #[test]
    fn faithful_requests_take_one_second() {
        let choice = Choice { faithful: true, ..Choice::default() };
        for (entry, case) in cases(Profile::Smoke, &choice).unwrap() {
            if entry.spec.name == "endpoints" {
                assert_eq!(case.params["wait_ms"], 1000);
            }
        }
    }

    #[test]
    fn workers_are_at_least_one_and_no_more_than_the_system_gives() {
        assert!(workers(None).unwrap() >= 1);
        assert_eq!(workers(Some(3)).unwrap(), 3);
        assert!(workers(Some(0)).unwrap_err().0.contains("must be at least 1"));
        assert!(workers(Some(10_000_000)).unwrap_err().0.contains("give fewer"));
    }
}
