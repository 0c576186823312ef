//! `endpoints`: a hundred requests at once to each of four handlers.
//!
//! The experiment that every newcomer to async meets. A request is a task handed to the handler;
//! the handler needs a fixed time and does nothing but wait. How many requests wait together
//! decides how long the hundred take, and that follows from the kind of handler.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{
    Census, Class, Definition, Digest, Facts, Gauge, Key, Limit, Metric, Params, Profile, Range,
    Sampling, Spec, Workload,
};

/// The workload.
#[derive(Debug)]
pub struct Endpoints;

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

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointsParams {
    /// What handles the requests.
    pub handler: Handler,
    /// Requests sent at once.
    pub requests: u64,
    /// Time that a request needs, in milliseconds.
    pub wait_ms: u64,
    /// Threads of the bounded pool behind handler `d`.
    pub pool: u64,
}

impl Params for EndpointsParams {
    const KEYS: &'static [Key] = &[
        Key {
            name: "handler",
            range: Range::OneOf(&["a", "b", "c", "d"]),
            meaning: "a: blocks in the handler, b: blocking pool, c: timer, d: bounded pool",
        },
        Key { name: "requests", range: Range::Integer(1, 10_000), meaning: "requests at once" },
        Key {
            name: "wait_ms",
            range: Range::Integer(1, 60_000),
            meaning: "time a request needs, ms",
        },
        Key { name: "pool", range: Range::Integer(1, 1_000), meaning: "threads behind handler d" },
    ];
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
            Profile::Standard | Profile::Thorough => 50,
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

impl Workload for Endpoints {
    type Input = Requests;

    fn prepare(params: &EndpointsParams, _scratch: &Path) -> io::Result<Requests> {
        Ok(Requests {
            params: params.clone(),
            predicted: AtomicUsize::new(0),
            gauge: Gauge::default(),
            census: Census::new(),
        })
    }

    fn expected(input: &Requests) -> io::Result<Digest> {
        Ok(Digest::of_ordered(0..input.params.requests))
    }

    fn census(input: &Requests) -> &Census {
        &input.census
    }

    fn facts(input: &Requests) -> Result<Facts, String> {
        let predicted = input.predicted.swap(0, Relaxed) as u64;
        let peak = input.gauge.take_peak() as u64;
        if predicted == 0 {
            return Err("the strategy did not say how many requests it expects in flight".into());
        }
        if peak > predicted {
            return Err(format!("{peak} requests were in flight where {predicted} may be"));
        }
        let waves = waves(input.params.requests, predicted);
        Ok(Facts::from([
            ("peak_in_flight".to_owned(), peak),
            ("predicted_in_flight".to_owned(), predicted),
            ("predicted_ns".to_owned(), input.params.wait_ms * 1_000_000 * u64::from(waves)),
        ]))
    }
}

fn waves(requests: u64, at_once: u64) -> u32 {
    u32::try_from(requests.div_ceil(at_once)).unwrap_or(u32::MAX)
}

/// The requests to be answered: one for each id from 0 to `count` − 1.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Requests {
    params: EndpointsParams,
    predicted: AtomicUsize,
    gauge: Gauge,
    census: Census,
}

impl Requests {
    /// What handles them.
    pub fn handler(&self) -> Handler {
        self.params.handler
    }

    /// Number of requests.
    pub fn count(&self) -> u64 {
        self.params.requests
    }

    /// Time that a request needs.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.params.wait_ms)
    }

    /// Threads of the bounded pool behind handler `d`.
    pub fn pool(&self) -> usize {
        self.params.pool as usize
    }

    /// States, before the requests start, how many can be in flight together by the strategy's
    /// own account: the threads of the pool that is really there, or `usize::MAX` for no bound.
    /// More than that is a wrong answer, and the report holds the prediction ⌈N/in flight⌉·d that
    /// follows beside the measurement.
    pub fn predict_in_flight(&self, bound: usize) {
        self.predicted.store(bound.min(self.params.requests as usize), Relaxed);
    }

    /// Starts request `id`: call it where the handler begins, then wait, then
    /// [`finish`](Request::finish) it.
    pub fn start(&self, id: u64) -> Request<'_> {
        self.census.mark();
        self.gauge.enter();
        Request { requests: self, id, since: Instant::now() }
    }

    /// Handles request `id` by blocking the calling thread.
    pub fn block(&self, id: u64) -> u64 {
        let request = self.start(id);
        thread::sleep(self.wait());
        request.finish()
    }

    /// The answer: all results in the order of the requests.
    pub fn digest(&self, results: impl IntoIterator<Item = u64>) -> Digest {
        Digest::of_ordered(results)
    }
}

/// A request being handled.
#[derive(Debug)]
pub struct Request<'a> {
    requests: &'a Requests,
    id: u64,
    since: Instant,
}

impl Request<'_> {
    /// When the handler began.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The response: the id, or a number that spoils the digest if the wait was cut short.
    pub fn finish(self) -> u64 {
        let long_enough = self.since.elapsed() >= self.requests.wait();
        self.requests.gauge.leave();
        if long_enough { self.id } else { u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(count: u64) -> Requests {
        let params = EndpointsParams { handler: Handler::A, requests: count, wait_ms: 1, pool: 40 };
        Endpoints::prepare(&params, Path::new("")).unwrap()
    }

    #[test]
    fn the_prediction_counts_waves_of_the_pool_that_is_there() {
        let requests = requests(5);
        requests.predict_in_flight(2);
        assert_eq!(
            requests.digest((0..5).map(|id| requests.block(id))),
            Endpoints::expected(&requests).unwrap()
        );
        let facts = Endpoints::facts(&requests).unwrap();
        assert_eq!(facts["peak_in_flight"], 1);
        assert_eq!(facts["predicted_in_flight"], 2);
        assert_eq!(facts["predicted_ns"], 3_000_000);
    }

    #[test]
    fn more_in_flight_than_the_bound_is_a_broken_rule() {
        let requests = requests(2);
        requests.predict_in_flight(1);
        let (first, second) = (requests.start(0), requests.start(1));
        first.finish();
        second.finish();
        assert!(Endpoints::facts(&requests).unwrap_err().contains("2 requests were in flight"));
    }

    #[test]
    fn a_strategy_that_predicts_nothing_is_told_so() {
        assert!(Endpoints::facts(&requests(1)).is_err());
    }

    #[test]
    fn the_bounded_pool_of_forty_takes_a_hundred_requests_in_three_waves() {
        let cases = Endpoints::cases(Profile::Standard);
        let Limit::Time { ns, .. } = Endpoints::limit(&cases[3]) else { panic!("a known time") };
        assert_eq!(ns, 150_000_000);
    }
}
