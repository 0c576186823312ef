//! `deadline`: what goes on running when a time limit has cut operations off?
//!
//! Some of the operations are too slow for the limit. The answer is the same for all strategies:
//! which operations were done in time and which were not. What differs is what becomes of the
//! others. A future that is dropped ends at once, timer, memory and all; a thread that is no longer
//! waited for goes on to its end, and an operation counts as running as long as it does.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Fact, Facts, Limit, Metric, Profile, Sampling, Site, Spec,
    Workload, params,
};

/// The workload `deadline`.
#[derive(Debug)]
pub struct Deadline;

params! {
    /// The parameters of `deadline`.
    pub struct DeadlineParams {
        /// operations started at once
        pub operations: u64 in 1..=10_000,
        /// one operation of so many is slow
        pub slow_every: u64 in 1..=10_000,
        /// what a fast operation takes, ms
        pub fast_ms: u64 in 1..=50,
        /// time limit of every operation, ms
        pub limit_ms: u64 in 60..=10_000,
        /// what a slow operation takes if nothing ends it, ms
        pub slow_ms: u64 in 100..=60_000,
        /// when to count what is still running, ms after the run; 0 to leave it
        pub later_ms: u64 in 0..=60_000,
    }
}

impl Definition for Deadline {
    const SPEC: Spec = Spec {
        name: "deadline",
        class: Class::Coordination,
        question: "What goes on running when a time limit has cut operations off?",
        operation: "operation",
        metric: Metric::Wall,
    };
    type Params = DeadlineParams;

    fn cases(profile: Profile) -> Vec<DeadlineParams> {
        let (operations, slow_ms, later_ms) = match profile {
            Profile::Smoke => (100, 300, 50),
            Profile::Quick | Profile::Standard => (1_000, 1_500, 1_000),
            Profile::Thorough => (1_000, 3_000, 2_000),
        };
        [0, later_ms]
            .map(|later_ms| DeadlineParams {
                operations,
                slow_every: 10,
                fast_ms: 10,
                limit_ms: 100,
                slow_ms,
                later_ms,
            })
            .into()
    }

    fn label(params: &DeadlineParams) -> String {
        if params.later_ms > 0 { "later".into() } else { String::new() }
    }

    fn operations(params: &DeadlineParams) -> u64 {
        params.operations
    }

    fn limit(params: &DeadlineParams) -> Limit {
        let limit = Duration::from_millis(params.limit_ms);
        Limit::time(limit, "the limit itself: some operations are too slow")
    }

    fn metric(params: &DeadlineParams) -> Metric {
        if params.later_ms > 0 { Metric::StillRunning } else { Metric::Wall }
    }

    fn sampling(params: &DeadlineParams) -> Sampling {
        if params.later_ms > 0 { Sampling::FirstRound } else { Sampling::Repeated }
    }
}

impl Workload for Deadline {
    type Input = Operations;

    fn prepare(params: &DeadlineParams, _: &Site<'_>) -> io::Result<Operations> {
        let count = params.operations;
        // Scattered, so that no strategy can gain by taking the first or the last to be slow.
        let mut scattered: Vec<u64> = (0..count).collect();
        scattered.sort_by_key(|&id| mix(id + 1));
        let mut durations = vec![Duration::from_millis(params.fast_ms); count as usize];
        for &id in scattered.iter().take((count / params.slow_every) as usize) {
            durations[id as usize] = Duration::from_millis(params.slow_ms);
        }
        Ok(Operations {
            durations,
            limit: Duration::from_millis(params.limit_ms),
            later: Duration::from_millis(params.later_ms),
            run: Mutex::default(),
            census: Census::new(),
        })
    }

    fn expected(input: &Operations) -> io::Result<Digest> {
        let (pending, done): (Vec<u64>, Vec<u64>) =
            (0..input.count()).partition(|&id| input.durations[id as usize] > input.limit);
        Ok(input.answer(done, pending))
    }

    fn census(input: &Operations) -> &Census {
        &input.census
    }

    /// Counts what still runs, and forgets it: it is not counted again after the next run.
    fn facts(input: &Operations) -> Result<Facts, String> {
        Ok(input.take_facts(thread::sleep))
    }
}

/// The operations to be done: one for each id from 0 to `count` − 1.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Operations {
    durations: Vec<Duration>,
    limit: Duration,
    later: Duration,
    /// Shared by the operations of this run that are running.
    run: Mutex<Arc<()>>,
    census: Census,
}

impl Operations {
    fn take_facts(&self, wait: impl FnOnce(Duration)) -> Facts {
        let mut facts = Facts::from([(Fact::RunningAtReturn, self.running())]);
        if !self.later.is_zero() {
            wait(self.later);
            facts.insert(Fact::StillRunning, self.running());
        }
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        facts
    }

    /// Number of operations.
    pub fn count(&self) -> u64 {
        self.durations.len() as u64
    }

    /// The time that every operation has before it is given up.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Starts operation `id`: call it where the operation begins, then wait for its
    /// [`duration`](Operation::duration), then [`finish`](Operation::finish) it.
    ///
    /// It counts as running until it is finished or dropped. One that has not been started when the
    /// run returns must not be started afterwards: it would count in the next run.
    pub fn start(&self, id: u64) -> Operation {
        self.census.mark();
        let running = Arc::clone(&self.run.lock().unwrap_or_else(PoisonError::into_inner));
        let duration = self.durations[id as usize];
        Operation { id, duration, since: Instant::now(), _running: running }
    }

    /// The answer: which operations were done in time, as [`finish`](Operation::finish) said, and
    /// which were given up. The order does not count.
    pub fn answer(
        &self,
        done: impl IntoIterator<Item = u64>,
        pending: impl IntoIterator<Item = u64>,
    ) -> Digest {
        let done = done.into_iter().map(|id| id.wrapping_mul(2));
        let pending = pending.into_iter().map(|id| id.wrapping_mul(2).wrapping_add(1));
        // Added up, not XORed, so that an id given twice does not cancel itself out.
        Digest::of_number(
            done.chain(pending).map(|id| mix(id.wrapping_add(1))).fold(0, u64::wrapping_add),
        )
    }

    /// Operations of this run that are running.
    fn running(&self) -> u64 {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::strong_count(&run) as u64 - 1
    }
}

/// An operation under way.
#[derive(Debug)]
pub struct Operation {
    id: u64,
    duration: Duration,
    since: Instant,
    /// Its being there is what is counted.
    _running: Arc<()>,
}

impl Operation {
    /// Which operation it is.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How long it takes from its start if nothing ends it.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// When it began.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The result: the id, or a number that spoils the answer if the wait was cut short.
    pub fn finish(self) -> u64 {
        if self.since.elapsed() >= self.duration { self.id } else { u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn operations(later_ms: u64) -> Operations {
        let params = DeadlineParams {
            operations: 50,
            slow_every: 10,
            fast_ms: 1,
            limit_ms: 60,
            slow_ms: 100,
            later_ms,
        };
        Deadline::prepare(&params, &Site::alone(Path::new(""))).unwrap()
    }

    fn slow(input: &Operations) -> Vec<u64> {
        (0..50).filter(|&id| input.start(id).duration() > input.limit()).collect()
    }

    #[test]
    fn exactly_one_in_ten_is_slow_and_neither_the_first_nor_the_last() {
        let slow = slow(&operations(0));
        assert_eq!(slow.len(), 5);
        assert_ne!(slow, [0, 1, 2, 3, 4]);
        assert_ne!(slow, [45, 46, 47, 48, 49]);
        assert!(slow.windows(2).any(|pair| pair[1] - pair[0] != 10), "{slow:?}");
    }

    #[test]
    fn the_answer_holds_both_sets_in_any_order() {
        let input = operations(0);
        let (expected, slow) = (Deadline::expected(&input).unwrap(), slow(&input));
        let fast: Vec<u64> = (0..50).filter(|id| !slow.contains(id)).collect();
        let all = |done: &[u64], pending: &[u64]| {
            input.answer(done.iter().rev().copied(), pending.iter().copied())
        };
        assert_eq!(all(&fast, &slow), expected);
        assert_ne!(all(&fast, &slow[1..]), expected);
        assert_ne!(all(&fast[1..], &slow), expected);
        assert_ne!(all(&fast, &[&slow[..], &slow[..1], &slow[..1]].concat()), expected);
        assert_ne!(all(&[&fast[..], &slow[..]].concat(), &[]), expected);
        assert_ne!(all(&slow, &fast), expected);
    }

    #[test]
    fn a_wait_cut_short_spoils_the_answer() {
        let input = operations(0);
        let slow = slow(&input);
        let fast = |wait: Duration| -> Vec<u64> {
            (0..50)
                .filter(|id| !slow.contains(id))
                .map(|id| {
                    let operation = input.start(id);
                    thread::sleep(wait);
                    operation.finish()
                })
                .collect()
        };
        let expected = Deadline::expected(&input).unwrap();
        assert_eq!(input.answer(fast(Duration::from_millis(1)), slow.clone()), expected);
        assert_ne!(input.answer(fast(Duration::ZERO), slow.clone()), expected);
    }

    #[test]
    fn an_operation_runs_until_it_is_finished_or_dropped_and_counts_in_its_own_run_only() {
        let input = operations(0);
        let running: Vec<_> = (0..4).map(|id| input.start(id)).collect();
        drop(input.start(4));
        input.start(5).finish();
        let first = Deadline::facts(&input).unwrap();
        assert_eq!(first, Facts::from([(Fact::RunningAtReturn, 4)]));

        let next = input.start(6);
        drop(running);
        assert_eq!(Deadline::facts(&input).unwrap()[&Fact::RunningAtReturn], 1);
        drop(next);
        assert_eq!(Deadline::facts(&input).unwrap()[&Fact::RunningAtReturn], 0);
    }

    #[test]
    fn what_is_still_running_is_counted_once_more_later() {
        let input = operations(400);
        let (short, _long) = (input.start(0), input.start(1));
        let facts = input.take_facts(|later| {
            assert_eq!(later, Duration::from_millis(400));
            drop(short);
        });
        assert_eq!((facts[&Fact::RunningAtReturn], facts[&Fact::StillRunning]), (2, 1));
    }

    #[test]
    fn the_later_case_is_a_fact_of_the_first_round() {
        let [now, later] = &Deadline::cases(Profile::Quick)[..] else { panic!("two cases") };
        assert_eq!((Deadline::label(now), Deadline::metric(now)), (String::new(), Metric::Wall));
        assert_eq!(Deadline::sampling(now), Sampling::Repeated);
        assert_eq!(Deadline::label(later), "later");
        assert_eq!(Deadline::metric(later), Metric::StillRunning);
        assert_eq!(Deadline::sampling(later), Sampling::FirstRound);
    }
}
