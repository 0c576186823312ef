//! `mixed`: an HTTP server under an open loop in which most requests wait and a few compute for long.

use std::time::Duration;

use crate::service::{MAX_UNITS, Work};
use crate::{
    Class, Definition, Grant, HttpLoad, HttpParams, HttpServer, Limit, Metric, Pace, Profile,
    Sampling, Share, Spec, params,
};

/// The share of the workers' time that the heavy requests take where no rate is given.
const UTILISATION: f64 = 0.4;

/// The service `mixed`.
pub type Mixed = HttpServer<MixedParams>;

params! {
    /// The parameters of `mixed`.
    pub struct MixedParams {
        /// connections kept open; the server closes more
        pub connections: u64 in 1..=100_000,
        /// requests in one run
        pub requests: u64 in 1..=100_000_000,
        /// requests a second; 0: heavy ones keep two fifths of the workers busy
        pub rate: u64 in 0..=10_000_000,
        /// wait of a light request, µs
        pub wait_us: u64 in 1..=60_000_000,
        /// heavy requests in a thousand
        pub heavy_per_mille: u64 in 1..=999,
        /// computing of a heavy request, µs
        pub heavy_us: u64 in 1..=1_000_000,
        /// the same in units; 0: as many as heavy_us take here
        pub heavy_units: u64 in 0..=MAX_UNITS as u64,
    }
}

impl Definition for Mixed {
    const SPEC: Spec = Spec {
        name: "mixed",
        class: Class::Mixed,
        question: "How long do light requests wait while heavy ones compute?",
        operation: "request",
        metric: Metric::LatencyP99,
    };
    type Params = MixedParams;

    fn cases(profile: Profile) -> Vec<MixedParams> {
        let (requests, heavy_us) = match profile {
            Profile::Smoke => (60, 2_000),
            Profile::Quick => (500, 20_000),
            Profile::Standard => (1_000, 20_000),
            Profile::Thorough => (3_000, 20_000),
        };
        vec![MixedParams {
            connections: 256,
            requests,
            rate: 0,
            wait_us: 5_000,
            heavy_per_mille: 50,
            heavy_us,
            heavy_units: 0,
        }]
    }

    fn label(_: &MixedParams) -> String {
        String::new()
    }

    fn operations(params: &MixedParams) -> u64 {
        params.requests
    }

    fn limit(params: &MixedParams) -> Limit {
        Limit::time(
            Duration::from_micros(params.wait_us),
            "d: a light request needs no CPU that a heavy one could not be made to give up",
        )
    }

    /// Every connection has been served before the window, and one window is long.
    fn sampling(_: &MixedParams) -> Sampling {
        Sampling::Once
    }

    fn settle(params: MixedParams, grant: &Grant) -> MixedParams {
        let heavy_seconds = params.heavy_us as f64 / 1e6 * params.heavy_per_mille as f64 / 1_000.0;
        let rate = UTILISATION * grant.workers as f64 / heavy_seconds;
        let units = params.heavy_us * 1_000 / grant.unit_ns.max(1);
        let or = |given: u64, derived: u64| if given == 0 { derived.max(1) } else { given };
        MixedParams {
            rate: or(params.rate, rate as u64),
            heavy_units: or(params.heavy_units, units.min(u64::from(MAX_UNITS))),
            ..params
        }
    }
}

impl HttpParams for MixedParams {
    fn load(&self) -> HttpLoad {
        let heavy = self.heavy_per_mille as u32;
        let wait = Duration::from_micros(self.wait_us);
        let units = self.heavy_units as u32;
        let mix = vec![
            Share { per_mille: 1_000 - heavy, work: Work { wait, ..Work::default() } },
            Share { per_mille: heavy, work: Work { units, ..Work::default() } },
        ];
        let pace = Pace::Open { rate: self.rate.max(1) as f64, requests: self.requests };
        HttpLoad {
            counted: Some(0),
            unit_ns: (self.heavy_us * 1_000).checked_div(self.heavy_units).unwrap_or(0),
            ..HttpLoad::new(self.connections as usize, pace, mix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavy_requests_keep_two_fifths_of_the_workers_busy() {
        let grant = Grant { workers: 2, unit_ns: 2_000, ..Grant::default() };
        let params = Mixed::settle(Mixed::cases(Profile::Quick).remove(0), &grant);
        assert_eq!(params.heavy_units, 10_000);
        // 5 % of 800 a second take 20 ms each: 0.8 s of CPU time a second, of two.
        assert_eq!(params.rate, 800);
    }
}
