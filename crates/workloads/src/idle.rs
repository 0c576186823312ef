//! `idle`: park very many tasks while a few stay active.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::memory::{Footprint, footprint};
use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Fact, Facts, Grant, Limit, Metric, Profile, Sampling, Site,
    Spec, Workload, params,
};

/// Batches in which tasks are started; memory is looked at after each.
const BATCHES: u64 = 4;
/// How long tasks may take to park.
const PATIENCE: Duration = Duration::from_secs(40);
/// What a task remembers while it is parked, such as the state of a connection.
const STATE_WORDS: usize = 8;

/// The workload `idle`.
#[derive(Debug)]
pub struct Idle;

params! {
    /// The parameters of `idle`.
    pub struct IdleParams {
        /// tasks parked; 0 for as many as threads fit here
        pub n: u64 in 0..=10_000_000,
        /// tasks that stay active beside them
        pub active: u64 in 1..=1_000,
        /// turns of each active task, which lets others have theirs in between
        pub turns: u64 in 1..=1_000_000,
    }
}

impl Definition for Idle {
    const SPEC: Spec = Spec {
        name: "idle",
        class: Class::Scale,
        question: "How much memory does a task take that only waits?",
        operation: "task",
        metric: Metric::BytesPerTask,
    };
    type Params = IdleParams;

    fn cases(profile: Profile) -> Vec<IdleParams> {
        let (sizes, turns): (&[u64], _) = match profile {
            Profile::Smoke => (&[400], 10),
            Profile::Quick => (&[1_000, 10_000, 100_000], 100),
            Profile::Standard => (&[1_000, 10_000, 0, 100_000], 100),
            Profile::Thorough => (&[1_000, 10_000, 0, 100_000, 1_000_000], 100),
        };
        sizes.iter().map(|&n| IdleParams { n, active: 100, turns }).collect()
    }

    fn label(params: &IdleParams) -> String {
        match params.n {
            0 => "n=threads-that-fit".to_owned(),
            n => format!("n={n}"),
        }
    }

    fn operations(params: &IdleParams) -> u64 {
        params.n.max(1)
    }

    fn limit(_: &IdleParams) -> Limit {
        Limit::Floor
    }

    /// A second run would find the memory of the first.
    fn sampling(_: &IdleParams) -> Sampling {
        Sampling::Once
    }

    /// Beside the parked ones there are active threads, workers and what else the process has.
    fn settle(params: IdleParams, grant: &Grant) -> IdleParams {
        let fit = || {
            let others = params.active + 2 * grant.workers as u64 + 100;
            grant.threads.unwrap_or(1_000).saturating_sub(others).max(BATCHES)
        };
        IdleParams { n: if params.n == 0 { fit() } else { params.n }, ..params }
    }
}

impl Workload for Idle {
    type Input = Lot;

    fn prepare(params: &IdleParams, _: &Site<'_>) -> io::Result<Lot> {
        Ok(Lot {
            params: params.clone(),
            parked: AtomicU64::new(0),
            left: AtomicU64::new(0),
            signs: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            made: Instant::now(),
            first_turn_ns: AtomicU64::new(0),
            last_turn_ns: AtomicU64::new(0),
            footprints: Mutex::default(),
            census: Census::new(),
        })
    }

    fn renew(input: &Lot) {
        for count in [&input.parked, &input.left, &input.signs, &input.turns] {
            count.store(0, Relaxed);
        }
        input.footprints.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn expected(input: &Lot) -> io::Result<Digest> {
        let IdleParams { n, active, turns } = input.params;
        let signs = (0..n).map(|id| State::new(id).sign()).fold(0, u64::wrapping_add);
        Ok(answer([n, n, active * turns], signs))
    }

    fn census(input: &Lot) -> &Census {
        &input.census
    }

    fn facts(input: &Lot) -> Result<Facts, String> {
        let footprints = input.footprints.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = footprints.len() as u64;
        if seen != BATCHES.min(input.params.n) {
            return Err(format!("memory was looked at {seen} times, not once after each batch"));
        }
        let mut facts = Facts::from([
            (Fact::StateBytes, size_of::<State>() as u64),
            (Fact::ActiveTurnNs, input.turn_ns()),
        ]);
        let seen: Option<Vec<(u64, Footprint)>> =
            footprints.iter().map(|&(tasks, footprint)| Some((tasks, footprint?))).collect();
        if let Some(seen) = seen {
            let first = seen[0].1.kernel;
            let resident: Vec<_> =
                seen.iter().map(|(tasks, seen)| (*tasks as f64, seen.resident as f64)).collect();
            let kernel: Vec<_> = seen
                .iter()
                .map(|(tasks, seen)| (*tasks as f64, seen.kernel.since(&first) as f64))
                .collect();
            for (fact, points) in
                [(Fact::UserBytesPerTask, resident), (Fact::KernelBytesPerTask, kernel)]
            {
                facts.insert(fact, slope(&points).round().max(0.0) as u64);
            }
        }
        Ok(facts)
    }
}

/// The slope of the straight line through the points by least squares; 0 if there is only one.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let common: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    if spread > 0.0 { common / spread } else { 0.0 }
}

/// From how many parked, left and took turns, and the sum of the signs of those that left.
fn answer(counts: [u64; 3], signs: u64) -> Digest {
    Digest::of_ordered(counts.into_iter().chain([signs]))
}

/// Where tasks are parked.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Lot {
    params: IdleParams,
    parked: AtomicU64,
    left: AtomicU64,
    /// Sum, with wrap-around, of the signs of the states that came back.
    signs: AtomicU64,
    turns: AtomicU64,
    made: Instant,
    /// When the first and the last turn were taken, nanoseconds since the lot was made.
    first_turn_ns: AtomicU64,
    last_turn_ns: AtomicU64,
    /// Tasks parked, and the memory then.
    footprints: Mutex<Vec<(u64, Option<Footprint>)>>,
    census: Census,
}

/// What a parked task remembers.
#[derive(Debug)]
pub struct State([u64; STATE_WORDS]);

impl State {
    #[inline(never)]
    fn new(id: u64) -> Self {
        State(std::array::from_fn(|word| mix(id.wrapping_add((word as u64) << 32))))
    }

    fn sign(&self) -> u64 {
        mix(self.0.iter().copied().fold(0, |sum, word| mix(sum ^ word)))
    }
}

impl Lot {
    /// Number of tasks to park.
    pub fn tasks(&self) -> u64 {
        self.params.n
    }

    /// Number of tasks that stay active.
    pub fn active(&self) -> u64 {
        self.params.active
    }

    /// Turns of each active task.
    pub fn turns(&self) -> u64 {
        self.params.turns
    }

    /// The ids of the tasks in the batches in which they are started. After each,
    /// [`observe`](Lot::observe) is due.
    pub fn batches(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        let n = self.params.n;
        let batches = BATCHES.min(n);
        (0..batches).map(move |batch| n * batch / batches..n * (batch + 1) / batches)
    }

    /// What task `id` does before it parks: it has been started, and from now on has a state to keep.
    #[inline(never)]
    pub fn park(&self, id: u64) -> State {
        self.census.mark();
        self.parked.fetch_add(1, Relaxed);
        State::new(id)
    }

    /// What a task does when it has been released.
    #[inline(never)]
    pub fn leave(&self, state: State) {
        self.signs.fetch_add(state.sign(), Relaxed);
        self.left.fetch_add(1, Relaxed);
    }

    /// Blocks the calling thread, which should be none that tasks run on, until `started` tasks have
    /// parked, and looks at the memory.
    ///
    /// # Errors
    /// If they do not all park, or do not stay parked.
    pub fn observe(&self, started: u64) -> io::Result<()> {
        let begin = Instant::now();
        while self.parked.load(Relaxed) < started {
            if begin.elapsed() > PATIENCE {
                let parked = self.parked.load(Relaxed);
                let reason = format!("{parked} of {started} tasks were parked after {PATIENCE:?}");
                return Err(io::Error::other(reason));
            }
            thread::sleep(Duration::from_micros(100));
        }
        let left = self.left.load(Relaxed);
        if left > 0 {
            let reason = format!("{left} of {started} tasks did not stay parked");
            return Err(io::Error::other(reason));
        }
        let mut footprints = self.footprints.lock().unwrap_or_else(PoisonError::into_inner);
        footprints.push((started, footprint()));
        Ok(())
    }

    /// One turn of an active task, after which others may have theirs.
    #[inline(never)]
    pub fn turn(&self) {
        self.census.mark();
        let now = || self.made.elapsed().as_nanos() as u64;
        let done = self.turns.fetch_add(1, Relaxed) + 1;
        if done == 1 {
            self.first_turn_ns.store(now(), Relaxed);
        }
        if done == self.params.active * self.params.turns {
            self.last_turn_ns.store(now(), Relaxed);
        }
    }

    /// Time from turn to turn, all active tasks together.
    fn turn_ns(&self) -> u64 {
        let [first, last] =
            [&self.first_turn_ns, &self.last_turn_ns].map(|time| time.load(Relaxed));
        last.saturating_sub(first) / self.turns.load(Relaxed).max(1)
    }

    /// The answer, once every task has ended.
    pub fn digest(&self) -> Digest {
        answer(
            [&self.parked, &self.left, &self.turns].map(|count| count.load(Relaxed)),
            self.signs.load(Relaxed),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn lot(n: u64) -> Lot {
        let params = IdleParams { n, active: 2, turns: 3 };
        Idle::prepare(&params, &Site::alone(Path::new(""))).unwrap()
    }

    fn park_all(lot: &Lot) -> Vec<State> {
        let mut parked = Vec::new();
        for batch in lot.batches() {
            let started = batch.end;
            parked.extend(batch.map(|id| lot.park(id)));
            lot.observe(started).unwrap();
        }
        parked
    }

    #[test]
    fn tasks_that_park_take_turns_and_leave_give_the_answer() {
        for n in [1, 3, 10, 1_001] {
            let lot = lot(n);
            let parked = park_all(&lot);
            (0..6).for_each(|_| lot.turn());
            parked.into_iter().rev().for_each(|state| lot.leave(state));
            assert_eq!(lot.digest(), Idle::expected(&lot).unwrap(), "{n}");
            let facts = Idle::facts(&lot).unwrap();
            assert_eq!(facts[&Fact::StateBytes], 64);
            Idle::renew(&lot);
            assert_ne!(lot.digest(), Idle::expected(&lot).unwrap(), "the next run begins anew");
        }
    }

    #[test]
    fn a_task_that_does_not_stay_is_noticed() {
        let lot = lot(10);
        let state = lot.park(0);
        lot.leave(state);
        assert!(lot.observe(1).unwrap_err().to_string().contains("did not stay parked"));
    }

    #[test]
    fn a_missing_turn_and_a_wrong_state_change_the_answer() {
        let lot = lot(4);
        let parked = park_all(&lot);
        parked.into_iter().for_each(|state| lot.leave(state));
        (0..5).for_each(|_| lot.turn());
        assert_ne!(lot.digest(), Idle::expected(&lot).unwrap(), "a turn is missing");
        lot.turn();
        assert_eq!(lot.digest(), Idle::expected(&lot).unwrap());
        lot.leave(State::new(99));
        assert_ne!(lot.digest(), Idle::expected(&lot).unwrap(), "no task parked that state");
    }

    #[test]
    fn memory_has_to_be_looked_at_after_each_batch() {
        let lot = lot(8);
        lot.observe(0).unwrap();
        assert!(Idle::facts(&lot).unwrap_err().contains("1 times"));
    }

    #[test]
    fn the_slope_of_a_line_is_found_and_a_point_has_none() {
        assert_eq!(slope(&[(1.0, 15.0), (3.0, 35.0), (5.0, 55.0)]), 10.0);
        assert_eq!(slope(&[(1.0, 15.0)]), 0.0);
    }

    #[test]
    fn as_many_as_threads_fit_leaves_room_for_the_others() {
        let params = IdleParams { n: 0, active: 100, turns: 1 };
        let grant = Grant { workers: 2, threads: Some(16_000), ..Grant::default() };
        assert_eq!(Idle::settle(params.clone(), &grant).n, 15_796);
        assert_eq!(Idle::settle(params, &Grant::default()).n, 800);
    }
}
