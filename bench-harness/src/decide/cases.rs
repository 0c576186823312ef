//! What is measured to decide about a service: its requests as they are described, and each of three things
//! halved and doubled.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::selection::UsageError;
use workloads::request::MIN_SIZE;
use workloads::serve::Drive;
use workloads::traffic::{Classes, Judged, RequestClass, TrafficParams};
use workloads::{Case, Entry, Profile, find};

use crate::service::{Optimise, ServiceProfile};

/// The id of the case that decides.
pub(crate) const DESCRIBED: &str = "traffic/described";
/// The id of the search for the capacity, where something else decides.
pub(crate) const CAPACITY: &str = "traffic/capacity";

/// Requests in one window of an open loop, at least: 99 of 100 have to mean something.
const LEAST_REQUESTS: u64 = 500;
/// Windows are so many times as long as the longest request, at least.
const LONGER_THAN_A_REQUEST: u32 = 5;
/// A step of the search for the capacity lasts until one CPU could compute so many requests, at least: of a
/// handful it does not show whether a server keeps up.
const COMPUTED_IN_A_STEP: u32 = 30;

/// One thing that is changed to see whether the decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    HalfConnections,
    DoubleConnections,
    HalfCpu,
    DoubleCpu,
    HalfBlocking,
    DoubleBlocking,
}

impl Change {
    pub(crate) const ALL: [Change; 6] = [
        Change::HalfConnections,
        Change::DoubleConnections,
        Change::HalfCpu,
        Change::DoubleCpu,
        Change::HalfBlocking,
        Change::DoubleBlocking,
    ];

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Change::HalfConnections => "half the connections",
            Change::DoubleConnections => "twice the connections",
            Change::HalfCpu => "half the CPU time per request",
            Change::DoubleCpu => "twice the CPU time per request",
            Change::HalfBlocking => "half the share of blocking calls",
            Change::DoubleBlocking => "twice the share of blocking calls",
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Change::HalfConnections => "traffic/half-connections",
            Change::DoubleConnections => "traffic/double-connections",
            Change::HalfCpu => "traffic/half-cpu",
            Change::DoubleCpu => "traffic/double-cpu",
            Change::HalfBlocking => "traffic/half-blocking",
            Change::DoubleBlocking => "traffic/double-blocking",
        }
    }

    /// The service with that change; `None` where it changes nothing or cannot be.
    pub(crate) fn of(self, service: &ServiceProfile) -> Option<ServiceProfile> {
        let mut changed = service.clone();
        let connections = &mut changed.load.connections;
        match self {
            Change::HalfConnections => *connections = (*connections / 2).max(1),
            Change::DoubleConnections => *connections *= 2,
            Change::HalfCpu => changed.classes.iter_mut().for_each(|class| class.cpu /= 2),
            Change::DoubleCpu => changed.classes.iter_mut().for_each(|class| class.cpu *= 2),
            Change::HalfBlocking => changed = share_of_blocking(service, 0.5)?,
            Change::DoubleBlocking => changed = share_of_blocking(service, 2.0)?,
        }
        (changed != *service).then_some(changed)
    }
}

/// Multiplies the share of requests that block: so many others do likewise, or no longer do.
fn share_of_blocking(service: &ServiceProfile, factor: f64) -> Option<ServiceProfile> {
    let of = |blocking| -> f64 {
        let classes = service.classes.iter().filter(|class| class.blocking == blocking);
        f64::from(classes.map(|class| class.per_mille).sum::<u32>())
    };
    let (before, others) = (of(true), of(false));
    // Nobody blocks, or everybody does already.
    if before == 0.0 || before * (factor - 1.0) > others {
        return None;
    }
    let joining = if factor > 1.0 { before * (factor - 1.0) / others } else { 0.0 };
    let staying = factor.min(1.0);
    service.with_blocking(|class| {
        let part = if class.blocking { staying } else { joining };
        (f64::from(class.per_mille) * part).round() as u32
    })
}

/// The cases with their ids: the described one, the capacity where that is another, and the changes unless
/// they are left out.
///
/// # Errors
/// If a case cannot be measured.
pub(crate) fn cases(
    service: &ServiceProfile,
    profile: Profile,
    described_only: bool,
) -> Result<Vec<(Entry, Case)>, UsageError> {
    let traffic = find("traffic").expect("it is in the catalogue");
    let refuse = |id: &str, reason: String| UsageError(format!("{}: {id}: {reason}", service.name));
    let mut wanted = vec![(DESCRIBED, params(service, decides_by(service), profile))];
    if service.objective.optimise != Optimise::Throughput {
        wanted.push((CAPACITY, params(service, Drive::Capacity, profile)));
    }
    let changes = Change::ALL.into_iter().filter(|_| !described_only);
    wanted.extend(changes.filter_map(|change| {
        let changed = change.of(service)?;
        Some((change.id(), params(&changed, decides_by(&changed), profile)))
    }));
    let case = |(id, params): (&str, Result<Value, String>)| {
        let params = params.map_err(|reason| refuse(id, reason))?;
        let case = traffic.case(&params).map_err(|error| refuse(id, error.to_string()))?;
        worker::os::check_connections(case.connections as u64)
            .map_err(|reason| refuse(id, reason))?;
        Ok((traffic, Case { id: id.to_owned(), ..case }))
    };
    wanted.into_iter().map(case).collect()
}

/// Throughput is searched for; everything else is compared at the rate that is given.
fn decides_by(service: &ServiceProfile) -> Drive {
    match service.objective.optimise {
        Optimise::Throughput => Drive::Capacity,
        Optimise::P99 | Optimise::Cpu | Optimise::Memory => Drive::Open,
    }
}

fn params(service: &ServiceProfile, drive: Drive, profile: Profile) -> Result<Value, String> {
    let rate = match (service.load.rate, drive) {
        (Some(rate), _) => rate,
        (None, Drive::Capacity) => 1,
        (None, _) => {
            let optimise = service.objective.optimise;
            return Err(format!(
                "load.rate is missing, and {optimise} is compared at a given rate: add it to the profile, or \
                 optimise throughput"
            ));
        }
    };
    let longest = service.classes.iter().map(|class| class.wait + class.cpu).max();
    let long = longest.unwrap_or_default() * LONGER_THAN_A_REQUEST;
    let window = window(profile).max(long);
    let params = TrafficParams {
        drive,
        judged: match service.objective.optimise {
            Optimise::Throughput | Optimise::P99 => Judged::P99,
            Optimise::Cpu => Judged::Cpu,
            Optimise::Memory => Judged::Memory,
        },
        connections: service.load.connections,
        requests: ((rate as f64 * window.as_secs_f64()) as u64).max(LEAST_REQUESTS),
        rate,
        target_us: service.objective.p99.as_micros() as u64,
        // A search takes a dozen steps and more.
        step_ms: (window / 8).max(long).max(service.mean_cpu() * COMPUTED_IN_A_STEP).as_millis()
            as u64,
        counted: 0,
        classes: classes(service)?,
        unit_ns: 0,
    };
    serde_json::to_value(params).map_err(|error| error.to_string())
}

/// The classes of a service as the workload takes them.
///
/// # Errors
/// If they are more or larger than it takes.
pub(crate) fn classes(service: &ServiceProfile) -> Result<Classes, String> {
    let classes = service.classes.iter().map(|class| RequestClass {
        per_mille: class.per_mille,
        wait: class.wait,
        cpu_us: class.cpu.as_micros() as u64,
        size: u32::try_from(class.payload_bytes).unwrap_or(u32::MAX).max(MIN_SIZE),
        blocking: class.blocking,
    });
    Classes::new(classes.collect())
}

/// How long a window of an open loop is.
fn window(profile: Profile) -> Duration {
    Duration::from_millis(match profile {
        Profile::Smoke => 200,
        Profile::Quick => 800,
        Profile::Standard => 2_000,
        Profile::Thorough => 4_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::service;

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
            let cases = cases(&service(optimise), Profile::Quick, false).unwrap();
            cases.into_iter().map(|(_, case)| case.id).collect()
        };
        let by_throughput = ids(Optimise::Throughput);
        assert_eq!(by_throughput.len(), 5, "nobody blocks: {by_throughput:?}");
        assert_eq!(ids(Optimise::Cpu)[..2], [DESCRIBED, CAPACITY]);
        let described = cases(&service(Optimise::Throughput), Profile::Quick, true).unwrap();
        assert_eq!(described.len(), 1);
        let mut without_rate = service(Optimise::Memory);
        without_rate.load.rate = None;
        let refusal = cases(&without_rate, Profile::Quick, false).unwrap_err().0;
        assert!(refusal.contains("load.rate is missing"), "{refusal}");
    }
}
