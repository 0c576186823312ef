//! One point of a map: the service with two things changed, and the case that measures it.

use std::time::Duration;

use protocol::Placement;
use workloads::serve::Drive;
use workloads::traffic::{Judged, MAX_CLASSES, TrafficParams};
use workloads::{Case, Profile, closest_to_shares, find};

use crate::planning::SizedCase;
use record::axis::{Axis, Quantity};
use record::map::Map;
use record::service::{Optimise, RequestClass, ServiceProfile};
use record::values::{grouped, time};

/// What a request takes beside waiting and computing, about: only the length of a window follows from it.
const OVERHEAD: Duration = Duration::from_micros(20);
/// Requests of a window, where the p99 of their latency is judged.
const LEAST_FOR_P99: u64 = 100;
/// What p99 leaves out, of a thousand requests.
const BEYOND_P99: u32 = 10;

/// The case at a point, without its name.
///
/// # Errors
/// The clause that says why it cannot be measured here.
pub(super) fn case(
    service: &ServiceProfile,
    map: &Map,
    (column, row): (usize, usize),
    profile: Profile,
    workers: usize,
) -> Result<SizedCase, String> {
    let mut changed = service.clone();
    let mut workers = workers;
    for (axis, index) in [(&map.x, column), (&map.y, row)] {
        set(&mut changed, &mut workers, axis, index)?;
    }
    check(&changed, workers)?;
    let entry = find("traffic").expect("it is in the catalogue");
    let params = serde_json::to_value(params(&changed, workers, profile)?)
        .map_err(|error| error.to_string())?;
    let case = entry.case(&params).map_err(|error| error.to_string())?;
    let id = String::new();
    Ok(SizedCase {
        id: id.clone(),
        entry,
        case: Case { id, ..case },
        workers,
        swept: None,
        placement: Placement::Free,
        named: true,
    })
}

/// Gives the service the value of one axis. What is a mean is reached by scaling all classes alike.
fn set(
    service: &mut ServiceProfile,
    workers: &mut usize,
    axis: &Axis,
    index: usize,
) -> Result<(), String> {
    let value = axis.values[index];
    let time = Duration::from_micros(value);
    match axis.quantity {
        Quantity::Connections => service.load.connections = value,
        Quantity::Workers => *workers = value as usize,
        Quantity::Cpu => {
            let mean = service.mean_cpu();
            service.classes.iter_mut().for_each(|class| class.cpu = scaled(class.cpu, mean, time));
        }
        Quantity::Wait => {
            let mean = service.mean_wait();
            service
                .classes
                .iter_mut()
                .for_each(|class| class.wait = scaled(class.wait, mean, time));
        }
        Quantity::Payload => {
            let of = |class: &RequestClass| class.payload_bytes * u64::from(class.per_mille);
            let mean = service.classes.iter().map(of).sum::<u64>() as f64 / 1e3;
            for class in &mut service.classes {
                let factor = class.payload_bytes as f64 / mean;
                class.payload_bytes =
                    if mean > 0.0 { (value as f64 * factor) as u64 } else { value };
            }
        }
        Quantity::Blocking => {
            let blocked = |class: &RequestClass| (class.per_mille * value as u32 + 500) / 1_000;
            let changed = service.with_blocking(blocked);
            *service = changed.ok_or_else(|| {
                format!("with and without blocking calls it has more than {MAX_CLASSES} classes")
            })?;
        }
    }
    Ok(())
}

fn scaled(old: Duration, mean: Duration, wanted: Duration) -> Duration {
    if mean.is_zero() { wanted } else { wanted.mul_f64(old.as_secs_f64() / mean.as_secs_f64()) }
}

/// Why a service cannot be measured here, whatever serves it.
fn check(service: &ServiceProfile, workers: usize) -> Result<(), String> {
    let connections = service.load.connections;
    if let Some(fit) = machine::connections_that_fit().filter(|&fit| fit < connections) {
        let fit = grouped(fit);
        return Err(format!("the limit on open files allows {fit} connections (ulimit -Hn)"));
    }
    machine::check_threads(workers as u64).map_err(|error| error.to_string())?;
    let answers = service.answers_bytes();
    let memory = machine::limits::Limits::of_this_process().memory;
    if let Some(bound) = memory.filter(|bound| answers > bound.most) {
        let whose = bound.whose;
        return Err(format!(
            "answers to all connections take more memory than can be had ({whose})"
        ));
    }
    let p99 = service.objective.p99;
    let shown = time(p99.as_nanos() as f64);
    let slow = service.classes.iter().filter(|class| class.wait + class.cpu > p99);
    if slow.map(|class| class.per_mille).sum::<u32>() >= BEYOND_P99 {
        return Err(format!("a request alone takes longer than the {shown} that its p99 may"));
    }
    let turn = service.mean_cpu().as_secs_f64() * connections as f64 / workers as f64;
    if turn > p99.as_secs_f64() {
        return Err(format!(
            "computing once for all clients takes longer than the {shown} that its p99 may"
        ));
    }
    Ok(())
}

fn params(
    service: &ServiceProfile,
    workers: usize,
    profile: Profile,
) -> Result<TrafficParams, String> {
    let connections = service.load.connections;
    let (wait, cpu) = (service.mean_wait(), service.mean_cpu());
    let by_clients = connections as f64 / (wait + cpu + OVERHEAD).as_secs_f64();
    let by_workers = workers as f64 / (cpu + OVERHEAD).as_secs_f64();
    let expected = by_clients.min(by_workers) * window(profile).as_secs_f64();
    let least = match service.objective.optimise {
        Optimise::P99 => LEAST_FOR_P99,
        _ => 1,
    };
    let shares: Vec<_> = service.classes.iter().map(|class| class.per_mille).collect();
    Ok(TrafficParams {
        drive: Drive::Closed,
        judged: match service.objective.optimise {
            Optimise::Throughput => Judged::Time,
            Optimise::P99 => Judged::P99,
            Optimise::Cpu => Judged::Cpu,
            Optimise::Memory => Judged::Memory,
        },
        connections,
        // Each client is served once at least, and each class comes in its share.
        requests: closest_to_shares(&shares, (expected as u64).max(connections).max(least)),
        rate: 1,
        target_us: service.objective.p99.as_micros() as u64,
        step_ms: 100,
        counted: 0,
        classes: service.traffic_classes()?,
        unit_ns: 0,
    })
}

/// How long a window is, where one turn of all clients does not take longer.
fn window(profile: Profile) -> Duration {
    Duration::from_millis(match profile {
        Profile::Smoke => 20,
        Profile::Quick => 200,
        Profile::Standard => 500,
        Profile::Thorough => 1_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::axis::Resolution;
    use record::map::plain;

    #[test]
    fn what_is_a_mean_scales_every_class() {
        let mut service = plain();
        service.classes[0].per_mille = 500;
        let other = RequestClass { cpu: Duration::from_micros(300), ..service.classes[0].clone() };
        service.classes.push(other);
        let axis = |text: &str| Axis::new(text.parse().unwrap(), Resolution::Two).unwrap();
        set(&mut service, &mut 2, &axis("cpu=1ms..2ms"), 0).unwrap();
        let micros = |class: &RequestClass| class.cpu.as_micros();
        assert_eq!(service.classes.iter().map(micros).collect::<Vec<_>>(), [500, 1_500]);
        assert_eq!(service.mean_cpu(), Duration::from_millis(1));
    }
}
