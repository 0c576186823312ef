//! `traffic`: an HTTP server under requests of several classes as a profile file describes them.

mod classes;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::classes::{Classes, MAX_CLASSES, MAX_CPU_US, RequestClass};
use crate::serve::Drive;
use crate::service::{Bounds, Dispatch, MAX_UNITS, MIN_SIZE, Work};
use crate::{
    Class, Definition, Grant, HttpLoad, HttpParams, HttpServer, Limit, Metric, Pace, Profile,
    Sampling, Share, Spec, WAKE_UP, params,
};

/// The service `traffic`.
pub type Traffic = HttpServer<TrafficParams>;

/// By which number a loop is judged; a search for the capacity is judged by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// Elapsed time per request of a closed loop: how many it gets through. An open loop is given that, and
    /// is judged by the p99.
    Time,
    /// The 99th percentile of the latency of the class that counts.
    P99,
    /// CPU time of the server per request.
    Cpu,
    /// Largest resident memory of the server.
    Memory,
}

params! {
    /// The parameters of `traffic`.
    pub struct TrafficParams {
        /// closed loop, search for the capacity, or open loop at a rate
        pub drive: Drive of ["closed", "capacity", "open"],
        /// what closed and open are judged by
        pub judged: Judged of ["time", "p99", "cpu", "memory"],
        /// connections kept open; the server closes more
        pub connections: u64 in 1..=100_000,
        /// requests in one run of closed and open
        pub requests: u64 in 1..=100_000_000,
        /// requests a second in open
        pub rate: u64 in 1..=10_000_000,
        /// p99 that a rate has to keep to in the search for the capacity, µs
        pub target_us: u64 in 1..=120_000_000,
        /// length of one step of the search, ms
        pub step_ms: u64 in 10..=60_000,
        /// the class whose latency counts, from 1 on; 0: all
        pub counted: u64 in 0..=MAX_CLASSES as u64,
        /// the classes of requests
        pub classes: Classes as (
            |text| text.parse::<Classes>().is_ok(),
            "words such as 900/20000/50/4096/async: per mille (1,000 in all), wait and computing \
             in µs, bytes of the answer, async or blocking"
        ),
        /// time of a unit of computing, ns; 0: what it takes here
        pub unit_ns: u64 in 0..=1_000_000,
    }
}

impl TrafficParams {
    /// What a request of a class asks for.
    fn work(&self, class: &RequestClass) -> Work {
        let units = class.cpu_us * 1_000 / self.unit_ns.max(1);
        Work {
            wait: class.wait,
            units: units.min(u64::from(MAX_UNITS)) as u32,
            size: class.size.max(MIN_SIZE),
            dispatch: if class.blocking { Dispatch::Call } else { Dispatch::Auto },
            ..Work::default()
        }
    }

    /// The shortest p99 that there can be: 99 of 100 requests that count take no longer by themselves.
    fn shortest_p99(&self) -> Duration {
        let classes = self.classes.each();
        let counted = match self.counted as usize {
            0 => classes,
            class => classes.get(class - 1).map_or(classes, std::slice::from_ref),
        };
        let mut times: Vec<_> = counted
            .iter()
            .map(|class| (class.wait + Duration::from_micros(class.cpu_us), class.per_mille))
            .collect();
        times.sort_unstable();
        let all: u32 = times.iter().map(|(_, share)| share).sum();
        let mut seen = 0;
        let reaches = |&&(_, share): &&(Duration, u32)| {
            seen += share;
            100 * seen >= 99 * all
        };
        times.iter().find(reaches).map_or(Duration::ZERO, |(time, _)| *time)
    }
}

impl Definition for Traffic {
    const SPEC: Spec = Spec {
        name: "traffic",
        class: Class::Mixed,
        question: "How does a service fare whose requests somebody has described?",
        operation: "request",
        metric: Metric::LatencyP99,
    };
    type Params = TrafficParams;

    /// Only to see that it works: the requests to measure are described in a profile file.
    fn cases(profile: Profile) -> Vec<TrafficParams> {
        if profile != Profile::Smoke {
            return Vec::new();
        }
        let class = |per_mille, wait_ms, cpu_us, blocking| RequestClass {
            per_mille,
            wait: Duration::from_millis(wait_ms),
            cpu_us,
            size: 256,
            blocking,
        };
        let classes =
            vec![class(800, 2, 20, false), class(150, 1, 0, true), class(50, 0, 500, false)];
        let open = TrafficParams {
            drive: Drive::Open,
            judged: Judged::P99,
            connections: 16,
            requests: 60,
            rate: 500,
            target_us: 100_000,
            step_ms: 30,
            counted: 0,
            classes: Classes::new(classes).expect("the shares add up"),
            unit_ns: 0,
        };
        vec![TrafficParams { drive: Drive::Capacity, ..open.clone() }, open]
    }

    fn label(params: &TrafficParams) -> String {
        match params.drive {
            Drive::Closed => format!("closed,c={}", params.connections),
            Drive::Capacity => "capacity".to_owned(),
            Drive::Open => format!("rate={}", params.rate),
        }
    }

    fn operations(params: &TrafficParams) -> u64 {
        params.requests
    }

    fn metric(params: &TrafficParams) -> Metric {
        match (params.drive, params.judged) {
            (Drive::Capacity, _) => Metric::Capacity,
            (Drive::Closed, Judged::Time) => Metric::WallPerOperation,
            (_, Judged::Cpu) => Metric::CpuPerOperation,
            (_, Judged::Time | Judged::P99) => Metric::LatencyP99,
            (_, Judged::Memory) => Metric::PeakMemory,
        }
    }

    fn limit(params: &TrafficParams) -> Limit {
        match Self::metric(params) {
            Metric::LatencyP99 => Limit::time(
                params.shortest_p99(),
                "what 99 of 100 requests take that have the machine to themselves",
            ),
            Metric::Capacity => Limit::FloorOverWorkers,
            _ => Limit::Floor,
        }
    }

    /// Every connection has been served before the window, and one window is long.
    fn sampling(_: &TrafficParams) -> Sampling {
        Sampling::Once
    }

    fn settle(params: TrafficParams, grant: &Grant) -> TrafficParams {
        let unit_ns = if params.unit_ns == 0 { grant.unit_ns.max(1) } else { params.unit_ns };
        TrafficParams { unit_ns, ..params }
    }
}

impl HttpParams for TrafficParams {
    fn load(&self) -> HttpLoad {
        let requests = self.requests;
        let share =
            |class: &RequestClass| Share { per_mille: class.per_mille, work: self.work(class) };
        let mix = self.classes.each().iter().map(share).collect();
        let pace = match self.drive {
            Drive::Closed => Pace::Closed { requests },
            Drive::Capacity => Pace::Capacity {
                target: Duration::from_micros(self.target_us),
                step: Duration::from_millis(self.step_ms),
            },
            Drive::Open => Pace::Open { rate: self.rate as f64, requests },
        };
        HttpLoad {
            counted: (self.counted as usize).checked_sub(1),
            unit_ns: self.unit_ns,
            slack: match self.judged {
                Judged::Time | Judged::P99 => WAKE_UP,
                // Latencies have to keep to the objective then, and are not compared.
                Judged::Cpu | Judged::Memory => {
                    WAKE_UP.max(Duration::from_micros(self.target_us) / 10)
                }
            },
            ..HttpLoad::new(self.connections as usize, pace, mix)
        }
    }

    fn bounds(&self) -> Bounds {
        Bounds { pool: 1, ..Bounds::of(self.connections as usize) }
    }
}

impl Traffic {
    /// Whether some requests make a blocking call.
    pub fn blocks(&self) -> bool {
        self.params.classes.each().iter().any(|class| class.blocking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_99_of_100_requests_that_count_take_by_themselves() {
        let classes = "895/1000/0/16/async 100/0/5000/16/async 5/9000000/0/16/async";
        let of = |counted| TrafficParams {
            counted,
            classes: classes.parse().unwrap(),
            ..Traffic::cases(Profile::Smoke).remove(1)
        };
        assert_eq!(of(0).shortest_p99(), Duration::from_millis(5));
        assert_eq!(of(1).shortest_p99(), Duration::from_millis(1));
        assert_eq!(of(3).shortest_p99(), Duration::from_secs(9));
    }

    #[test]
    fn computing_is_as_long_as_described_on_this_machine() {
        let grant = Grant { unit_ns: 800, ..Grant::default() };
        let params = Traffic::settle(Traffic::cases(Profile::Smoke).remove(0), &grant);
        let work: Vec<_> = params.classes.each().iter().map(|class| params.work(class)).collect();
        assert_eq!(work[2].units, 625, "500 µs of 800 ns");
        assert_eq!((work[0].dispatch, work[1].dispatch), (Dispatch::Auto, Dispatch::Call));
    }
}
