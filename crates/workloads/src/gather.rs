//! `gather`: start many waits at once, join them all, results in order.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `gather`.
#[derive(Debug)]
pub struct Gather;

params! {
    /// The parameters of `gather`.
    pub struct GatherParams {
        /// waits started at once
        pub n: u64 in 1..=1_000_000,
        /// length of one wait, ms
        pub wait_ms: u64 in 1..=60_000,
    }
}

impl Definition for Gather {
    const SPEC: Spec = Spec {
        name: "gather",
        class: Class::Io,
        question: "What does it cost to have this many operations waiting at the same time?",
        operation: "wait",
        metric: Metric::Wall,
    };
    type Params = GatherParams;

    fn cases(profile: Profile) -> Vec<GatherParams> {
        let (sizes, wait_ms): (&[u64], u64) = match profile {
            Profile::Smoke => (&[100], 5),
            _ => (&[1_000, 10_000], 50),
        };
        sizes.iter().map(|&n| GatherParams { n, wait_ms }).collect()
    }

    fn label(params: &GatherParams) -> String {
        format!("n={}", params.n)
    }

    fn operations(params: &GatherParams) -> u64 {
        params.n
    }

    fn limit(params: &GatherParams) -> Limit {
        Limit::time(Duration::from_millis(params.wait_ms), "d: all waits overlap")
    }
}

impl Workload for Gather {
    type Input = Waits;

    fn prepare(params: &GatherParams, _: &Site<'_>) -> io::Result<Waits> {
        Ok(Waits {
            n: params.n,
            duration: Duration::from_millis(params.wait_ms),
            census: Census::new(),
        })
    }

    fn expected(input: &Waits) -> io::Result<Digest> {
        Ok(Digest::of_ordered(0..input.n))
    }

    fn census(input: &Waits) -> &Census {
        &input.census
    }
}

/// The waits to be done: one for each id from 0 to n − 1.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Waits {
    n: u64,
    duration: Duration,
    census: Census,
}

impl Waits {
    /// Number of waits.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How long each lasts.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Starts wait `id`: call it where the operation begins, then wait, then
    /// [`finish`](Waiting::finish) it.
    pub fn start(&self, id: u64) -> Waiting {
        self.census.mark();
        Waiting { id, duration: self.duration, since: Instant::now() }
    }

    /// Does wait `id` by blocking the calling thread.
    pub fn block(&self, id: u64) -> u64 {
        let waiting = self.start(id);
        thread::sleep(self.duration);
        waiting.finish()
    }

    /// The answer: all results in the order of their ids.
    pub fn digest(&self, results: impl IntoIterator<Item = u64>) -> Digest {
        Digest::of_ordered(results)
    }
}

/// A wait under way.
#[derive(Debug)]
pub struct Waiting {
    id: u64,
    duration: Duration,
    since: Instant,
}

impl Waiting {
    /// When the wait began.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The result: the id, or a number that spoils the digest if the wait was cut short.
    pub fn finish(self) -> u64 {
        if self.since.elapsed() >= self.duration { self.id } else { u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_wait_cut_short_and_a_swapped_order_both_spoil_the_answer() {
        let params = GatherParams { n: 3, wait_ms: 1 };
        let waits = Gather::prepare(&params, &Site::alone(Path::new(""))).unwrap();
        let expected = Gather::expected(&waits).unwrap();
        assert_eq!(waits.digest((0..3).map(|id| waits.block(id))), expected);
        assert_ne!(waits.digest((0..3).map(|id| waits.start(id).finish())), expected);
        assert_ne!(waits.digest((0..3).rev().map(|id| waits.block(id))), expected);
    }
}
