//! `serve`: an HTTP server, saturated by a closed loop, searched for its capacity, and held at a share
//! of it by an open loop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::service::{Bounds, MIN_SIZE, Work};
use crate::{
    Class, Definition, Grant, HttpLoad, HttpParams, HttpServer, Limit, Metric, Pace, Profile,
    Sampling, Share, Spec, params,
};

/// The service `serve`.
pub type Server = HttpServer<ServerParams>;

/// What the load generator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drive {
    /// Every connection sends its next request when the last has been answered.
    Closed,
    /// The highest rate that is served in time is searched for.
    Capacity,
    /// Requests are sent at a given rate, whatever the server does.
    Open,
}

params! {
    /// The parameters of `serve`.
    pub struct ServerParams {
        /// closed loop, search for the capacity, or open loop at a rate
        pub drive: Drive of ["closed", "capacity", "open"],
        /// connections kept open; the server closes more
        pub connections: u64 in 1..=100_000,
        /// requests in one run of closed and open
        pub requests: u64 in 1..=100_000_000,
        /// wait of a request, µs
        pub wait_us: u64 in 0..=60_000_000,
        /// computing of a request, units of about 1 µs
        pub units: u64 in 0..=1_000_000,
        /// size of an answer, bytes
        pub size: u64 in 16..=1 << 20,
        /// rate of open, per cent of the slowest contestant's capacity
        pub percent: u64 in 1..=200,
        /// rate of open, requests a second; 0: by percent
        pub rate: u64 in 0..=10_000_000,
        /// p99 that a rate has to keep to in the search for the capacity, ms
        pub target_ms: u64 in 1..=60_000,
        /// length of one step of the search, ms
        pub step_ms: u64 in 10..=60_000,
        /// how long the rest of a request may take to arrive, ms
        pub patience_ms: u64 in 1..=600_000,
    }
}

impl ServerParams {
    fn work(&self) -> Work {
        Work {
            wait: Duration::from_micros(self.wait_us),
            units: self.units as u32,
            size: self.size as u32,
            ..Work::default()
        }
    }
}

impl Definition for Server {
    const SPEC: Spec = Spec {
        name: "serve",
        class: Class::Io,
        question: "What does an HTTP request cost a server, and how long do clients wait under load?",
        operation: "request",
        metric: Metric::LatencyP99,
    };
    type Params = ServerParams;

    fn cases(profile: Profile) -> Vec<ServerParams> {
        let (closed, open, step_ms) = match profile {
            Profile::Smoke => (200, 50, 20),
            Profile::Quick => (20_000, 2_000, 100),
            Profile::Standard => (40_000, 4_000, 400),
            Profile::Thorough => (100_000, 10_000, 500),
        };
        let trivial = ServerParams {
            drive: Drive::Closed,
            connections: if profile == Profile::Smoke { 8 } else { 64 },
            requests: closed,
            wait_us: 0,
            units: 0,
            size: u64::from(MIN_SIZE),
            percent: 100,
            rate: 0,
            target_ms: 30,
            step_ms,
            patience_ms: 10_000,
        };
        let loaded = ServerParams {
            drive: Drive::Capacity,
            connections: if profile == Profile::Smoke { 32 } else { 512 },
            requests: open,
            wait_us: 10_000,
            units: 50,
            ..trivial.clone()
        };
        let held = |percent| ServerParams { drive: Drive::Open, percent, ..loaded.clone() };
        vec![trivial, loaded.clone(), held(30), held(60), held(90)]
    }

    fn label(params: &ServerParams) -> String {
        match params.drive {
            Drive::Closed => format!("closed,c={}", params.connections),
            Drive::Capacity => "capacity".to_owned(),
            Drive::Open if params.percent == 100 => format!("rate={}", params.rate),
            Drive::Open => format!("load={}", params.percent),
        }
    }

    fn operations(params: &ServerParams) -> u64 {
        params.requests
    }

    fn metric(params: &ServerParams) -> Metric {
        match params.drive {
            Drive::Closed => Metric::CpuPerOperation,
            Drive::Capacity => Metric::Capacity,
            Drive::Open => Metric::LatencyP99,
        }
    }

    fn limit(params: &ServerParams) -> Limit {
        match params.drive {
            Drive::Closed => Limit::Floor,
            Drive::Capacity => Limit::FloorOverWorkers,
            Drive::Open => {
                Limit::time(params.work().wait, "d: the wait that every request asks for")
            }
        }
    }

    fn rated(params: &ServerParams) -> bool {
        params.drive == Drive::Open && params.rate == 0
    }

    fn settle(params: ServerParams, grant: &Grant) -> ServerParams {
        match grant.capacity {
            Some(capacity) if Self::rated(&params) => {
                let rate = capacity * params.percent as f64 / 100.0;
                ServerParams { rate: (rate as u64).max(1), ..params }
            }
            _ => params,
        }
    }

    fn sampling(params: &ServerParams) -> Sampling {
        match params.drive {
            // Every connection has been served before the window, and one window is long.
            Drive::Capacity | Drive::Open => Sampling::Once,
            Drive::Closed => Sampling::Repeated,
        }
    }
}

impl HttpParams for ServerParams {
    fn load(&self) -> HttpLoad {
        let requests = self.requests;
        let pace = match self.drive {
            Drive::Closed => Pace::Closed { requests },
            Drive::Capacity => Pace::Capacity {
                target: Duration::from_millis(self.target_ms),
                step: Duration::from_millis(self.step_ms),
            },
            Drive::Open => Pace::Open { rate: self.rate.max(1) as f64, requests },
        };
        let mix = vec![Share { per_mille: 1_000, work: self.work() }];
        HttpLoad::new(self.connections as usize, pace, mix)
    }

    fn bounds(&self) -> Bounds {
        let patience = Duration::from_millis(self.patience_ms);
        Bounds { patience, ..Bounds::of(self.connections as usize) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_from_the_capacity_unless_it_is_given() {
        let grant =
            Grant { workers: 2, unit_ns: 1_000, capacity: Some(10_000.0), ..Grant::default() };
        let cases = Server::cases(Profile::Quick);
        let rates: Vec<_> =
            cases.iter().map(|case| Server::settle(case.clone(), &grant).rate).collect();
        assert_eq!(rates, [0, 0, 3_000, 6_000, 9_000]);
        let given = ServerParams { rate: 7, ..cases[3].clone() };
        assert_eq!(Server::settle(given.clone(), &grant), given);
    }
}
