//! What is measured to decide about a service: its requests as they are described, and each of three things
//! halved and doubled.

use record::{CAPACITY, Change, DESCRIBED, LeftOut};
use std::time::Duration;

use serde_json::Value;
use workloads::UsageError;
use workloads::serve::Drive;
use workloads::traffic::{Judged, TrafficParams};
use workloads::{Case, Entry, HttpLoad, Profile, closest_to_shares, find};

use record::Purpose;
use record::service::{Optimise, ServiceProfile};

/// Requests in one window of an open loop, at least: 99 of 100 have to mean something.
const LEAST_REQUESTS: u64 = 500;
/// Windows are so many times as long as the longest request, at least.
const LONGER_THAN_A_REQUEST: f64 = 5.0;
/// The same of requests that take so long that the window would be longer than this.
const LONGER_THAN_A_LONG_REQUEST: f64 = 1.2;
const LONG_WINDOW: Duration = Duration::from_secs(20);
/// A step of the search for the capacity lasts until one CPU could compute so many requests, at least: of a
/// handful it does not show whether a server keeps up.
const COMPUTED_IN_A_STEP: u32 = 15;
/// The load generator makes a step so many times as long as the longest computing, and has so many requests of the
/// rarest class in it.
const LONGEST_COMPUTING: u32 = 10;
const OF_THE_RAREST: u32 = 3;
/// The longest step that the workload takes.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// Steps of a search, usually, and on a bad day.
const STEPS: u32 = 10;
const MOST_STEPS: u32 = 25;
/// What it takes to confirm what they found, usually, and on a bad day: a server that falls far behind the others is
/// searched for among rates at which a rare class takes long to come.
const CONFIRMING: Duration = Duration::from_secs(5);
const LONG_CONFIRMING: Duration = Duration::from_mins(4);
/// A search that takes longer than this for each entry is not begun.
const LONGEST_SEARCH: Duration = Duration::from_mins(5);
/// Windows of a visit: two may be void.
const WINDOWS: u32 = 3;
/// What a process needs beside its windows.
const BESIDE: Duration = Duration::from_secs(30);

/// What is measured of a service, and what is not.
#[derive(Debug)]
pub(crate) struct Cases {
    /// The cases with their ids.
    pub(crate) cases: Vec<(Entry, Case)>,
    /// What does not fit.
    pub(crate) left_out: Vec<LeftOut>,
    /// What a process may need for the longest of them.
    pub(crate) time_limit: Duration,
    /// What the windows of a first look at the service as described take.
    pub(crate) first_look: Duration,
}

/// The cases: the described one, the capacity where that is another, and the changes unless they are left out.
/// What cannot be measured of the latter is named beside them.
///
/// # Errors
/// If the service as described cannot be measured.
pub(crate) fn cases(
    service: &ServiceProfile,
    profile: Profile,
    described_only: bool,
) -> Result<Cases, UsageError> {
    let traffic = find("traffic").expect("it is in the catalogue");
    let mut wanted = vec![(DESCRIBED, service.clone(), decides_by(service))];
    if service.objective.optimise != Optimise::Throughput {
        wanted.push((CAPACITY, service.clone(), Drive::Capacity));
    }
    let changes = Change::ALL.into_iter().filter(|_| !described_only);
    wanted.extend(changes.filter_map(|change| {
        let changed = change.of(service)?;
        let drive = decides_by(&changed);
        Some((change.id(), changed, drive))
    }));
    let mut found = Cases {
        cases: Vec::new(),
        left_out: Vec::new(),
        time_limit: Duration::ZERO,
        first_look: Duration::ZERO,
    };
    let beyond = service.beyond_limits();
    let left = service
        .candidates()
        .into_iter()
        .filter(|model| beyond.iter().all(|(name, _)| name != model));
    if let (0, Some((_, reason))) = (left.count(), beyond.first()) {
        return Err(UsageError(format!(
            "{}: no model is left: {reason}; raise it, or let an async model take part",
            service.name
        )));
    }
    // Who takes part, with a twin.
    let visits =
        record::design(profile, Purpose::Decision).first_look() * (service.candidates().len() + 1);
    for (id, service, drive) in wanted {
        let case = || -> Result<(Case, Times), String> {
            let (params, times) = params(&service, drive, profile)?;
            let case = traffic.case(&params).map_err(|error| error.to_string())?;
            machine::check_connections(case.connections as u64)?;
            Ok((case, times))
        };
        match case() {
            Ok((case, times)) => {
                found.cases.push((traffic, Case { id: id.to_owned(), ..case }));
                found.time_limit = found.time_limit.max(times.limit);
                if id == DESCRIBED {
                    found.first_look = times.usual * visits as u32;
                }
            }
            Err(reason) if id == DESCRIBED => {
                return Err(UsageError(format!("{}: {id}: {reason}", service.name)));
            }
            Err(reason) => found.left_out.push(LeftOut { case: id.to_owned(), reason }),
        }
    }
    Ok(found)
}

/// What is worth knowing of a quick decision before anything is measured.
///
/// # Errors
/// If the service as described cannot be measured.
pub(crate) fn foreseen(service: &ServiceProfile) -> Result<Vec<String>, UsageError> {
    if service.load.rate.is_none() && service.objective.optimise != Optimise::Throughput {
        return Ok(vec![format!("decide refuses it: {}", without_rate(service))]);
    }
    let found = cases(service, Profile::Quick, false)?;
    let left_out = found.left_out.iter();
    let mut notes: Vec<_> = left_out
        .map(|LeftOut { case, reason }| format!("{case} is not measured: {reason}"))
        .collect();
    let usual = record::budget(Profile::Quick, Purpose::Decision, false).unwrap_or_default();
    if found.first_look > usual {
        notes.push(format!(
            "a decision takes about {}, because requests are long or rare",
            rough(found.first_look)
        ));
    }
    Ok(notes)
}

/// Throughput is searched for; everything else is compared at the rate that is given.
fn decides_by(service: &ServiceProfile) -> Drive {
    match service.objective.optimise {
        Optimise::Throughput => Drive::Capacity,
        Optimise::P99 | Optimise::Cpu | Optimise::Memory => Drive::Open,
    }
}

fn without_rate(service: &ServiceProfile) -> String {
    format!(
        "load.rate is missing, and {} is compared at a given rate: add it to the profile, or optimise throughput",
        service.objective.optimise
    )
}

/// How long the process of a case needs.
struct Times {
    usual: Duration,
    limit: Duration,
}

/// The parameters of a case, and how long its process needs.
fn params(
    service: &ServiceProfile,
    drive: Drive,
    profile: Profile,
) -> Result<(Value, Times), String> {
    let rate = match (service.load.rate, drive) {
        (Some(rate), _) => rate,
        (None, Drive::Capacity) => 1,
        (None, _) => return Err(without_rate(service)),
    };
    let longest =
        service.classes.iter().map(|class| class.wait + class.cpu).max().unwrap_or_default();
    let requests = requests(service, rate, profile, longest);
    let step = step(service, profile, longest);
    let times = match drive {
        Drive::Capacity => {
            let each = actual_step(service, step) + longest;
            if each * STEPS > LONGEST_SEARCH {
                return Err(format!(
                    "a search for the capacity would take {} for each entry, with steps of {}: optimise something \
                     else at a given rate, or describe shorter requests and no class that is so rare",
                    rough(each * STEPS),
                    rough(each)
                ));
            }
            let limit = BESIDE + each * MOST_STEPS + LONG_CONFIRMING;
            Times { usual: each * STEPS + CONFIRMING, limit }
        }
        _ => {
            let window = Duration::from_secs_f64(requests as f64 / rate as f64);
            let limit = BESIDE + (window + 2 * longest) * WINDOWS;
            Times { usual: window + longest, limit }
        }
    };
    let params = TrafficParams {
        drive,
        judged: match service.objective.optimise {
            Optimise::Throughput | Optimise::P99 => Judged::P99,
            Optimise::Cpu => Judged::Cpu,
            Optimise::Memory => Judged::Memory,
        },
        connections: service.load.connections,
        requests,
        rate,
        target_us: service.objective.p99.as_micros() as u64,
        step_ms: step.as_millis() as u64,
        counted: 0,
        classes: service.traffic_classes()?,
        unit_ns: 0,
    };
    Ok((serde_json::to_value(params).map_err(|error| error.to_string())?, times))
}

/// A duration in whole minutes or seconds.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

/// Several times as long as the longest request, or not much longer than one that takes very long.
fn beyond(longest: Duration) -> Duration {
    let long = longest.mul_f64(LONGER_THAN_A_REQUEST);
    long.min(LONG_WINDOW.max(longest.mul_f64(LONGER_THAN_A_LONG_REQUEST)))
}

/// Requests of a window of an open loop. Of a service that is called rarely they are fewer than percentiles would
/// want, so that the window ends; where classes cannot have their shares, they come close to them.
fn requests(service: &ServiceProfile, rate: u64, profile: Profile, longest: Duration) -> u64 {
    let in_time = |time: Duration| (rate as f64 * time.as_secs_f64()) as u64;
    let window = window(profile).max(beyond(longest));
    let most = in_time(longest_window(profile));
    let requests = in_time(window).max(LEAST_REQUESTS.min(most)).max(1);
    let shares: Vec<_> = service.classes.iter().map(|class| class.per_mille).collect();
    closest_to_shares(&shares, requests)
}

/// The length of a step of the search for the capacity.
fn step(service: &ServiceProfile, profile: Profile, longest: Duration) -> Duration {
    let shortest = Duration::from_millis(match profile {
        Profile::Smoke => 25,
        Profile::Quick => 500,
        Profile::Standard => 1_000,
        Profile::Thorough => 2_000,
    });
    let computing = service.mean_cpu() * COMPUTED_IN_A_STEP;
    shortest.max(beyond(longest)).max(computing).min(LONGEST_STEP)
}

/// How long the load generator will make such a step.
fn actual_step(service: &ServiceProfile, step: Duration) -> Duration {
    let computing = service.classes.iter().map(|class| class.cpu).max().unwrap_or_default();
    let shares = service.classes.iter().map(|class| class.per_mille);
    let rarest = shares.filter(|share| *share > 0).min().unwrap_or(1_000);
    let requests = OF_THE_RAREST * 1_000 / rarest;
    // At the rate that is asked for; without one, at what these clients come to.
    let time_of_each = match service.load.rate {
        Some(rate) => Duration::from_secs(1).div_f64(rate as f64),
        None => {
            let clients = service.load.connections as f64;
            service.mean_cpu().max((service.mean_wait() + service.mean_cpu()).div_f64(clients))
        }
    };
    step.max(computing * LONGEST_COMPUTING).max(time_of_each * requests)
}

/// The requests of a service, for a load generator that is told when to send them. `unit_ns` is the time of a unit
/// of computing here, nanoseconds.
///
/// # Errors
/// If its classes are more or larger than the workload takes.
pub(crate) fn load(service: &ServiceProfile, unit_ns: u64) -> Result<HttpLoad, String> {
    let params = TrafficParams {
        drive: Drive::Open,
        judged: Judged::P99,
        connections: service.load.connections,
        requests: 1,
        rate: 1,
        target_us: 0,
        step_ms: 0,
        counted: 0,
        classes: service.traffic_classes()?,
        unit_ns,
    };
    Ok(workloads::traffic::http_load(&params))
}

/// How long a window of an open loop is.
fn window(profile: Profile) -> Duration {
    Duration::from_millis(match profile {
        Profile::Smoke => 200,
        Profile::Quick => 2_000,
        Profile::Standard => 4_000,
        Profile::Thorough => 8_000,
    })
}

/// How long a window is at most to hold enough requests.
fn longest_window(profile: Profile) -> Duration {
    Duration::from_secs(match profile {
        Profile::Smoke => 5,
        Profile::Quick => 20,
        Profile::Standard => 60,
        Profile::Thorough => 180,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning;
    use record::fixtures::service;

    #[test]
    fn halving_and_doubling_change_one_thing_and_leave_the_shares_whole() {
        let mut of = service(Optimise::Throughput);
        of.classes[1].blocking = true;
        let total = |service: &ServiceProfile| -> u32 {
            service.classes.iter().map(|class| class.per_mille).sum()
        };
        for change in Change::ALL {
            let changed = change.of(&of).unwrap();
            assert_eq!(total(&changed), 1_000, "{change:?}");
            assert_eq!(changed.objective, of.objective);
        }
        let blocking = |change: Change| -> u32 {
            let classes = change.of(&of).unwrap().classes;
            classes.iter().filter(|class| class.blocking).map(|class| class.per_mille).sum()
        };
        assert_eq!((blocking(Change::HalfBlocking), blocking(Change::DoubleBlocking)), (50, 200));
        of.classes[1].blocking = false;
        assert_eq!(Change::HalfBlocking.of(&of), None, "nobody blocks");
        of.classes.iter_mut().for_each(|class| class.blocking = true);
        assert_eq!(Change::DoubleBlocking.of(&of), None, "everybody blocks already");
        let half = Change::HalfBlocking.of(&of).unwrap();
        assert_eq!(half.classes.len(), 4, "half of each class");
        assert_eq!((half.mean_wait(), half.mean_cpu()), (of.mean_wait(), of.mean_cpu()));
    }

    #[test]
    fn throughput_is_searched_for_and_the_rest_compared_at_the_given_rate() {
        let ids = |optimise| -> Vec<String> {
            let cases = cases(&service(optimise), Profile::Quick, false).unwrap().cases;
            cases.into_iter().map(|(_, case)| case.id).collect()
        };
        let by_throughput = ids(Optimise::Throughput);
        assert_eq!(by_throughput.len(), 5, "nobody blocks: {by_throughput:?}");
        assert_eq!(ids(Optimise::Cpu)[..2], [DESCRIBED, CAPACITY]);
        let described = cases(&service(Optimise::Throughput), Profile::Quick, true).unwrap();
        assert_eq!(described.cases.len(), 1);
        let mut without_rate = service(Optimise::Memory);
        without_rate.load.rate = None;
        let refusal = cases(&without_rate, Profile::Quick, false).unwrap_err().0;
        assert!(refusal.contains("load.rate is missing"), "{refusal}");
    }
    /// A service of one class.
    fn of_one(rate: Option<u64>, wait_ms: u64, cpu_ms: u64, optimise: Optimise) -> ServiceProfile {
        let mut of = service(optimise);
        of.load.rate = rate;
        of.objective.p99 = Duration::from_secs(40);
        of.classes.truncate(1);
        of.classes[0].per_mille = 1_000;
        of.classes[0].wait = Duration::from_millis(wait_ms);
        of.classes[0].cpu = Duration::from_millis(cpu_ms);
        of
    }

    fn params_of(found: &Cases, id: &str) -> TrafficParams {
        let case = found.cases.iter().find(|(_, case)| case.id == id).expect("it is measured");
        serde_json::from_value(case.1.params.clone()).unwrap()
    }

    #[test]
    fn slow_services_have_windows_that_the_time_limit_holds() {
        for (rate, wait_ms, cpu_ms, optimise) in [
            (Some(3), 50, 100, Optimise::P99),
            (Some(20), 30_000, 1, Optimise::Memory),
            (Some(1), 60_000, 1_000, Optimise::Cpu),
            (None, 50, 300, Optimise::Throughput),
        ] {
            let service = of_one(rate, wait_ms, cpu_ms, optimise);
            for profile in [Profile::Smoke, Profile::Quick, Profile::Standard, Profile::Thorough] {
                let found = cases(&service, profile, false).unwrap();
                let described = params_of(&found, DESCRIBED);
                let longest = Duration::from_millis(wait_ms + cpu_ms).as_secs_f64();
                let needs = match rate {
                    Some(rate) => described.requests as f64 / rate as f64 + longest,
                    None => f64::from(STEPS) * (described.step_ms as f64 / 1e3 + longest),
                };
                let limit = found.time_limit.as_secs_f64();
                assert!(limit > 2.0 * needs, "{limit} s for {needs} s of {rate:?} in {profile}");
                assert!(needs < 400.0, "{needs} s of {rate:?} in {profile}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_named() {
        // Twice a second of computing is more than a request may, and so are twice 100,000 connections; of waits of
        // half a minute a search takes too long.
        let service = of_one(Some(1), 30_000, 1_000, Optimise::Cpu);
        let found = cases(&service, Profile::Quick, false).unwrap();
        let left_out: Vec<_> = found.left_out.iter().map(|out| out.case.as_str()).collect();
        assert_eq!(left_out, [CAPACITY, Change::DoubleCpu.id()]);
        assert!(found.left_out[0].reason.contains("would take"), "{:?}", found.left_out);
        assert!(found.left_out[1].reason.contains("computes for at most"), "{:?}", found.left_out);
        assert!(found.cases.iter().any(|(_, case)| case.id == Change::HalfCpu.id()));
        // What decides has to be measured.
        let service = of_one(None, 30_000, 1_000, Optimise::Throughput);
        let refusal = cases(&service, Profile::Quick, false).unwrap_err().0;
        assert!(refusal.contains(DESCRIBED) && refusal.contains("would take"), "{refusal}");
    }

    #[test]
    fn the_examples_as_described_are_decided_within_four_minutes() {
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles");
        let files: Vec<_> =
            std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 7, "{files:?}");
        for file in files {
            let service = service::read(&file).unwrap();
            let found = cases(&service, Profile::Quick, true).unwrap();
            let budget = planning::decision_budget(Profile::Quick, true, found.first_look).unwrap();
            assert!(budget < Duration::from_mins(4), "{}: {budget:?}", file.display());
        }
    }

    #[test]
    fn what_takes_long_or_does_not_fit_is_foreseen() {
        assert_eq!(foreseen(&service(Optimise::Cpu)).unwrap(), [""; 0]);
        let long = foreseen(&of_one(Some(20), 30_000, 1, Optimise::Memory)).unwrap();
        assert!(long[0].contains("traffic/capacity is not measured"), "{long:?}");
        assert!(long[1].contains("takes about 20 min"), "{long:?}");
        let refusal = foreseen(&of_one(None, 30_000, 1_000, Optimise::Throughput)).unwrap_err();
        assert!(refusal.0.contains("would take"), "{refusal}");
        let mut narrow = service(Optimise::Cpu);
        narrow.preferences.no_async = true;
        (narrow.load.connections, narrow.limits.threads) = (1_000, Some(300));
        let refusal = foreseen(&narrow).unwrap_err();
        assert!(
            refusal.0.contains("no model is left") && refusal.0.contains("raise it"),
            "{refusal}"
        );
        let no_rate = foreseen(&of_one(None, 1, 1, Optimise::Memory)).unwrap();
        assert!(no_rate[0].contains("load.rate is missing"), "{no_rate:?}");
    }

    #[test]
    fn every_class_has_its_share_of_a_window() {
        let mut service = service(Optimise::Cpu);
        service.load.rate = Some(300);
        (service.classes[0].per_mille, service.classes[1].per_mille) = (999, 1);
        let found = cases(&service, Profile::Quick, true).unwrap();
        assert_eq!(params_of(&found, DESCRIBED).requests, 1_000);
    }
}
