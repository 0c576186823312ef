//! What no window may claim: more computing than the CPUs can do, more requests under way than there are
//! connections, latencies that are not those of its requests.

use workloads::HttpLoad;

use super::http::Seen;

/// How many times as much computing as the CPUs can do may have been asked for: by so much the time of a unit
/// can have been measured too long.
const UNIT_OFF: f64 = 1.1;
/// How far the mean number of requests in flight may be from throughput × mean latency.
const LITTLE: f64 = 0.01;

/// CPUs that this process and those beside it may use together; `None` if the system does not tell.
fn cpus() -> Option<f64> {
    machine::allowed_cpus().map(|cpus| cpus.len() as f64)
}

/// The highest rate that this machine and these connections could serve, whatever the server: more would need more
/// CPUs for what the requests compute as described, or more connections for as long as they take. By Little's law
/// (Operations Research 9, 1961).
pub(super) fn highest_rate(load: &HttpLoad) -> f64 {
    highest_rate_on(cpus().unwrap_or(f64::INFINITY), load)
}

pub(super) fn highest_rate_on(cpus: f64, load: &HttpLoad) -> f64 {
    let computing = load.mean(|class| load.cpu_ns(class) as f64);
    let taking = load.mean(|class| taking_ns(load, class));
    (cpus * 1e9 / computing).min(load.connections as f64 * 1e9 / taking)
}

/// How long a request of a class takes at least, nanoseconds.
fn taking_ns(load: &HttpLoad, class: usize) -> f64 {
    load.mix[class].work.wait.as_nanos() as f64 + load.cpu_ns(class) as f64
}

/// Why what was seen in a window cannot be, if so; `class` tells the class of a request.
pub(super) fn impossible(
    load: &HttpLoad,
    seen: &Seen,
    class: impl Fn(u64) -> usize,
) -> Option<String> {
    impossible_on(cpus().unwrap_or(f64::INFINITY), load, seen, class)
}

fn impossible_on(
    cpus: f64,
    load: &HttpLoad,
    seen: &Seen,
    class: impl Fn(u64) -> usize,
) -> Option<String> {
    let wall = seen.wall_ns as f64;
    let classes = || seen.answers.iter().map(|&(index, _)| class(index));
    let computed: f64 = classes().map(|class| load.cpu_ns(class) as f64).sum();
    if computed > UNIT_OFF * cpus * wall {
        return Some(format!(
            "requests that compute for {:.3} s in all were answered in {:.3} s on {cpus} CPUs: the server does not \
             compute them, or a unit of computing takes less than the {} ns it is taken for",
            computed / 1e9,
            wall / 1e9,
            load.unit_ns
        ));
    }
    let took: f64 = classes().map(|class| taking_ns(load, class)).sum();
    if took > UNIT_OFF * load.connections as f64 * wall {
        return Some(format!(
            "requests that take {:.3} s one after the other were answered in {:.3} s on {} connections",
            took / 1e9,
            wall / 1e9,
            load.connections
        ));
    }
    let latencies: f64 = seen.answers.iter().map(|&(_, latency)| latency as f64).sum();
    ((latencies - seen.in_flight_ns).abs() > LITTLE * seen.in_flight_ns).then(|| {
        format!(
            "throughput × mean latency is {:.2} requests, and {:.2} were in flight: the clock went wrong",
            latencies / wall,
            seen.in_flight_ns / wall
        )
    })
}

#[cfg(test)]
mod tests {
    use workloads::service::Work;
    use workloads::{Pace, Share};

    use std::time::Duration;

    use super::*;

    /// Requests of 120 µs, and one of a thousand that computes for 200 ms.
    fn load() -> HttpLoad {
        let class = |per_mille, units| Share { per_mille, work: Work { units, ..Work::default() } };
        let mix = vec![class(999, 120), class(1, 200_000)];
        HttpLoad { unit_ns: 1_000, ..HttpLoad::new(64, Pace::Burst, mix) }
    }

    fn seen(requests: u64, latency: u64, wall_ns: u64) -> Seen {
        let answers: Vec<_> = (0..requests).map(|index| (index, latency)).collect();
        let in_flight_ns = (requests * latency) as f64;
        Seen { wall_ns, answers, in_flight_ns, ..Seen::default() }
    }

    #[test]
    fn no_rate_needs_more_cpus_than_there_are_or_more_connections() {
        let mut load = load();
        let rate = highest_rate_on(2.0, &load);
        let cpu_ns = load.mean(|class| load.cpu_ns(class) as f64);
        assert!((rate * cpu_ns / 1e9 - 2.0).abs() < 1e-9, "{rate} a second");
        // A rare class that waits for a minute on 64 connections: 0.06 s a request.
        load.mix[1].work = Work { wait: Duration::from_secs(60), ..Work::default() };
        let rate = highest_rate_on(2.0, &load);
        assert!((1_000.0..1_067.0).contains(&rate), "{rate} a second");
        load.mix.truncate(1);
        load.unit_ns = 0;
        assert_eq!(highest_rate_on(2.0, &load), f64::INFINITY, "nothing is known");
    }

    #[test]
    fn a_window_with_more_computing_than_the_cpus_can_do_is_refused() {
        let load = load();
        let class = |index| usize::from(index % 1_000 == 999);
        // 7,440 a second of 0.32 ms each on two CPUs.
        let reason = impossible_on(2.0, &load, &seen(7_440, 1_000, 1_000_000_000), class).unwrap();
        assert!(reason.contains("compute for 2.") && reason.contains("on 2 CPUs"), "{reason}");
        assert_eq!(impossible_on(2.0, &load, &seen(6_000, 1_000, 1_000_000_000), class), None);
    }

    #[test]
    fn a_window_with_more_under_way_than_connections_is_refused() {
        let mut load = load();
        load.mix[0].work = Work { wait: Duration::from_millis(100), ..Work::default() };
        let class = |_| 0;
        // 64 connections serve 640 a second.
        let reason = impossible_on(2.0, &load, &seen(800, 1_000, 1_000_000_000), class).unwrap();
        assert!(reason.contains("64 connections"), "{reason}");
        assert_eq!(impossible_on(2.0, &load, &seen(640, 1_000, 1_000_000_000), class), None);
    }

    #[test]
    fn latencies_that_contradict_what_was_in_flight_are_refused() {
        let mut seen = seen(100, 1_000_000, 1_000_000_000);
        assert_eq!(impossible_on(2.0, &load(), &seen, |_| 0), None);
        seen.answers[0].1 += 3_000_000;
        let reason = impossible_on(2.0, &load(), &seen, |_| 0).unwrap();
        assert!(reason.contains("in flight"), "{reason}");
    }
}
