//! What is measured to decide about a service: its requests as they are described, and each of three things
//! halved and doubled.

use std::time::Duration;

use serde_json::Value;
use workloads::UsageError;
use workloads::serve::Drive;
use workloads::traffic::{Judged, TrafficParams};
use workloads::{Case, Entry, HttpLoad, HttpParams, Profile, find};

use crate::planning::windows::{Lengths, rough};
use record::service::{Optimise, ServiceProfile};
use record::{CAPACITY, Change, DESCRIBED, LeftOut, Purpose};

/// So many times as long as its windows is a round, with all that is beside them.
const BESIDE_WINDOWS: f64 = 1.1;

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
    if let (true, Some((_, reason))) = (service.within_limits().is_empty(), beyond.first()) {
        return Err(UsageError(format!(
            "{}: no model is left: {reason}; raise it, or let an async model take part",
            service.name
        )));
    }
    // All that take part, with a twin.
    let visits =
        record::design(profile, Purpose::Decision).first_look() * (service.candidates().len() + 1);
    for (id, service, drive) in wanted {
        let case = || -> Result<(Case, Lengths), String> {
            let (params, lengths) = params(&service, drive, profile)?;
            let case = traffic.case(&params).map_err(|error| error.to_string())?;
            machine::check_connections(case.connections as u64)?;
            Ok((case, lengths))
        };
        match case() {
            Ok((case, lengths)) => {
                found.cases.push((traffic, Case { id: id.to_owned(), ..case }));
                found.time_limit = found.time_limit.max(lengths.limit);
                if id == DESCRIBED {
                    found.first_look = lengths.usual * visits as u32;
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

/// Time that a decision takes for measuring whose first look at the service has windows of so long in all. Requests may
/// be so long or so rare that the usual time would not do for one look.
pub(crate) fn budget(
    profile: Profile,
    described_only: bool,
    first_look: Duration,
) -> Option<Duration> {
    let needed = first_look.mul_f64(BESIDE_WINDOWS);
    let usual = record::budget(profile, Purpose::Decision, described_only)?;
    let whole = record::budget(profile, Purpose::Decision, false)?;
    Some(if needed <= usual { usual } else { whole.max(needed) })
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

/// The parameters of a case, and how long its process lasts.
fn params(
    service: &ServiceProfile,
    drive: Drive,
    profile: Profile,
) -> Result<(Value, Lengths), String> {
    let rate = match (service.load.rate, drive) {
        (Some(rate), _) => rate,
        (None, Drive::Capacity) => 1,
        (None, _) => return Err(without_rate(service)),
    };
    let lengths = Lengths::of(service, drive, rate, profile)?;
    let params = TrafficParams {
        drive,
        judged: match service.objective.optimise {
            Optimise::Throughput | Optimise::P99 => Judged::P99,
            Optimise::Cpu => Judged::Cpu,
            Optimise::Memory => Judged::Memory,
        },
        connections: service.load.connections,
        requests: lengths.requests,
        rate,
        target_us: service.objective.p99.as_micros() as u64,
        step_ms: lengths.step.as_millis() as u64,
        counted: 0,
        classes: service.traffic_classes()?,
        unit_ns: 0,
    };
    Ok((serde_json::to_value(params).map_err(|error| error.to_string())?, lengths))
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
    Ok(params.load())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::windows::STEPS;
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
        assert_eq!(Change::HalfBlocking.of(&of), None, "no class blocks");
        of.classes.iter_mut().for_each(|class| class.blocking = true);
        assert_eq!(Change::DoubleBlocking.of(&of), None, "all classes block already");
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
        assert_eq!(by_throughput.len(), 5, "no class blocks: {by_throughput:?}");
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
            for profile in Profile::ALL {
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
            let budget = budget(Profile::Quick, true, found.first_look).unwrap();
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
