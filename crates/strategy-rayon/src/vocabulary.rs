//! What everyday concurrency looks like on rayon.
//!
//! - `wait_with_limit`: there is none: a job has no time limit and cannot be cancelled.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// Blocking calls in sequence.
fn one_after_the_other(unit: Duration) -> Duration {
    let start = Instant::now();
    thread::sleep(unit);
    thread::sleep(2 * unit);
    start.elapsed()
}

/// `join` runs both closures at once if a second thread of the pool is free.
fn together(unit: Duration) -> Duration {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("threads can be started");
    let start = Instant::now();
    pool.install(|| rayon::join(|| thread::sleep(unit), || thread::sleep(2 * unit)));
    start.elapsed()
}

/// `spawn` returns at once; the result comes over a channel, since a job has no handle.
fn start_without_waiting(unit: Duration) -> &'static str {
    let (sender, receiver) = mpsc::channel();
    rayon::spawn(move || {
        thread::sleep(unit);
        let _ = sender.send("done");
    });
    let meanwhile = "doing something else";
    assert!(!meanwhile.is_empty());
    receiver.recv().expect("the job sends its result")
}

/// A parallel iterator collects in order.
fn gather_in_order() -> Vec<u64> {
    [2, 3, 4].into_par_iter().map(|n| (1..=n).product()).collect()
}

/// `try_for_each` returns the first error; jobs that run already end when they look at a flag.
fn task_group(unit: Duration) -> Result<(), String> {
    let pool = ThreadPoolBuilder::new().num_threads(3).build().expect("threads can be started");
    let failed = AtomicBool::new(false);
    let sibling = |number| {
        if number == 0 {
            thread::sleep(unit);
            failed.store(true, Relaxed);
            return Err("the first sibling failed".to_owned());
        }
        (0..50).take_while(|_| !failed.load(Relaxed)).for_each(|_| thread::sleep(unit));
        Ok(())
    };
    pool.install(|| (0..3).into_par_iter().try_for_each(sibling))
}

/// A `OnceLock` of the standard library; the job that waits for it blocks a thread of the pool.
fn set_once(unit: Duration) -> u64 {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("threads can be started");
    let value = OnceLock::new();
    let set = || {
        thread::sleep(unit);
        value.set(42)
    };
    let (_, awaited) = pool.install(|| rayon::join(set, || *value.wait()));
    awaited
}

/// Called outside the pool, whose threads are for computing.
fn blocking_call(unit: Duration) -> u64 {
    thread::sleep(unit);
    42
}

/// A pool of that size; `scope` waits for all jobs spawned in it.
fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    let pool = ThreadPoolBuilder::new().num_threads(5).build().expect("threads can be started");
    let start = Instant::now();
    pool.in_place_scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|_| thread::sleep(unit));
        }
    });
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(50);

    /// The shortest of a few tries, for a machine that has other things to do as well.
    fn shortest(form: fn(Duration) -> Duration) -> Duration {
        (0..5).map(|_| form(UNIT)).min().expect("it was tried")
    }

    #[test]
    fn one_wait_after_the_other_takes_both() {
        assert!(one_after_the_other(UNIT) >= 3 * UNIT);
    }

    #[test]
    fn waits_together_take_the_longer_one() {
        let elapsed = shortest(together);
        assert!((2 * UNIT..3 * UNIT).contains(&elapsed), "{elapsed:?}");
    }

    #[test]
    fn what_was_started_is_collected() {
        assert_eq!(start_without_waiting(UNIT), "done");
    }

    #[test]
    fn results_are_in_order() {
        assert_eq!(gather_in_order(), [2, 6, 24]);
    }

    #[test]
    fn a_failure_ends_the_siblings() {
        let start = Instant::now();
        assert_eq!(task_group(UNIT), Err("the first sibling failed".to_owned()));
        assert!((UNIT..25 * UNIT).contains(&start.elapsed()), "{:?}", start.elapsed());
    }

    #[test]
    fn the_value_is_awaited() {
        let start = Instant::now();
        assert_eq!(set_once(UNIT), 42);
        assert!(start.elapsed() >= UNIT);
    }

    #[test]
    fn a_blocking_call_returns_its_value() {
        assert_eq!(blocking_call(UNIT), 42);
    }

    #[test]
    fn ten_jobs_take_two_turns() {
        let elapsed = shortest(ten_jobs_on_a_pool_of_five);
        assert!((2 * UNIT..3 * UNIT).contains(&elapsed), "{elapsed:?}");
    }
}
