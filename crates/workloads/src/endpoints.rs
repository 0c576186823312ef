//! `endpoints`: a hundred requests at once to each of four handlers.
//!
//! The experiment that every newcomer to async meets. Each request comes over a connection of its own;
//! the handler needs a fixed time and does nothing but wait. How many requests wait together
//! decides how long the hundred take, and that follows from the kind of handler.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::service::{Bounds, Dispatch, Requests, Work};
use crate::{
    Class, Definition, Fact, Facts, HttpLoad, HttpParams, HttpServer, Limit, Metric, Pace, Profile,
    Sampling, Share, Spec, params,
};

/// The service `endpoints`.
///
/// A strategy must [predict](Requests::predict_in_flight) how many requests it has in flight before it serves: more
/// than that is a wrong answer, and the report holds the ⌈N/in flight⌉·d that follows beside the measurement.
pub type Endpoints = HttpServer<EndpointsParams>;

/// What handles a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handler {
    /// A blocking wait inside the handler itself, on whatever thread runs the handler.
    A,
    /// The blocking wait handed to the runtime's own pool for blocking calls.
    B,
    /// The runtime's timer, awaited.
    C,
    /// A plain blocking handler on a bounded pool of `pool` threads.
    D,
}

params! {
    /// The parameters of `endpoints`.
    pub struct EndpointsParams {
        /// a: blocks in the handler, b: blocking pool, c: timer, d: bounded pool
        pub handler: Handler of ["a", "b", "c", "d"],
        /// requests at once
        pub requests: u64 in 1..=10_000,
        /// time a request needs, ms
        pub wait_ms: u64 in 1..=60_000,
        /// threads behind handler d
        pub pool: u64 in 1..=1_000,
    }
}

impl Definition for Endpoints {
    const SPEC: Spec = Spec {
        name: "endpoints",
        class: Class::Mixed,
        question: "How long do a hundred requests at once take, by kind of handler?",
        operation: "request",
        metric: Metric::Wall,
    };
    type Params = EndpointsParams;

    fn cases(profile: Profile) -> Vec<EndpointsParams> {
        let wait_ms = match profile {
            Profile::Smoke => 2,
            Profile::Quick => 10,
            Profile::Standard => 20,
            Profile::Thorough => 50,
        };
        [Handler::A, Handler::B, Handler::C, Handler::D]
            .map(|handler| EndpointsParams { handler, requests: 100, wait_ms, pool: 40 })
            .into()
    }

    fn label(params: &EndpointsParams) -> String {
        format!("{:?}", params.handler).to_lowercase()
    }

    fn operations(params: &EndpointsParams) -> u64 {
        params.requests
    }

    fn sampling(params: &EndpointsParams) -> Sampling {
        match params.handler {
            Handler::A => Sampling::Once,
            // So that every pool has its threads before the clock starts.
            Handler::B | Handler::C | Handler::D => Sampling::Repeated,
        }
    }

    fn limit(params: &EndpointsParams) -> Limit {
        let wait = Duration::from_millis(params.wait_ms);
        match params.handler {
            Handler::A | Handler::B | Handler::C => Limit::time(wait, "d: all requests overlap"),
            Handler::D => Limit::time(
                wait * waves(params.requests, params.pool),
                format!("⌈{}/{}⌉·d: the pool is bounded", params.requests, params.pool),
            ),
        }
    }
}

impl HttpParams for EndpointsParams {
    fn load(&self) -> HttpLoad {
        let work = Work {
            wait: Duration::from_millis(self.wait_ms),
            dispatch: match self.handler {
                Handler::A => Dispatch::Inline,
                Handler::B => Dispatch::Blocking,
                Handler::C => Dispatch::Await,
                Handler::D => Dispatch::Pool,
            },
            ..Work::default()
        };
        let mix = vec![Share { per_mille: 1_000, work }];
        HttpLoad::new(self.requests as usize, Pace::Burst, mix)
    }

    fn bounds(&self) -> Bounds {
        Bounds { pool: self.pool as usize, ..Bounds::of(self.requests as usize) }
    }

    fn facts(&self, requests: &Requests) -> Result<Facts, String> {
        let mut facts = requests.facts();
        let peak = facts[&Fact::PeakInFlight];
        let predicted = (requests.predicted_in_flight() as u64).min(self.requests);
        if predicted == 0 {
            return Err("the strategy did not say how many requests it expects in flight".into());
        }
        if peak > predicted {
            return Err(format!("{peak} requests were in flight where {predicted} may be"));
        }
        let waves = u64::from(waves(self.requests, predicted));
        facts.insert(Fact::PredictedInFlight, predicted);
        facts.insert(Fact::PredictedNs, self.wait_ms * 1_000_000 * waves);
        Ok(facts)
    }
}

impl Endpoints {
    /// What handles the requests.
    pub fn handler(&self) -> Handler {
        self.params.handler
    }
}

fn waves(requests: u64, at_once: u64) -> u32 {
    u32::try_from(requests.div_ceil(at_once)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Service;

    fn endpoints(requests: u64) -> Endpoints {
        Endpoints::new(&EndpointsParams { handler: Handler::A, requests, wait_ms: 1, pool: 40 })
    }

    #[test]
    fn the_prediction_counts_waves_of_the_pool_that_is_there() {
        let endpoints = endpoints(5);
        endpoints.requests().predict_in_flight(2);
        endpoints.requests().block(Work::default());
        let facts = endpoints.facts().unwrap();
        assert_eq!(facts[&Fact::PeakInFlight], 1);
        assert_eq!(facts[&Fact::PredictedInFlight], 2);
        assert_eq!(facts[&Fact::PredictedNs], 3_000_000);
    }

    #[test]
    fn more_in_flight_than_the_bound_is_a_broken_rule() {
        let endpoints = endpoints(2);
        endpoints.requests().predict_in_flight(1);
        let (first, second) = (
            endpoints.requests().start(Work::default()),
            endpoints.requests().start(Work::default()),
        );
        drop((first, second));
        assert!(endpoints.facts().unwrap_err().contains("2 requests were in flight"));
    }

    #[test]
    fn a_strategy_that_predicts_nothing_is_told_so() {
        assert!(endpoints(1).facts().is_err());
    }

    #[test]
    fn the_bounded_pool_of_forty_takes_a_hundred_requests_in_three_waves() {
        let cases = Endpoints::cases(Profile::Thorough);
        let Limit::Time { ns, .. } = Endpoints::limit(&cases[3]) else { panic!("a known time") };
        assert_eq!(ns, 150_000_000);
    }
}
