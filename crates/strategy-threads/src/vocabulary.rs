//! Nine things that concurrent programs do, in the words of `std::thread` and crossbeam.

use std::convert::Infallible;
use std::iter;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{self, RecvTimeoutError};

/// Waits one after the other: calls that block.
fn one_after_the_other(unit: Duration) -> Duration {
    let start = Instant::now();
    thread::sleep(unit);
    thread::sleep(2 * unit);
    start.elapsed()
}

/// Waits together: scoped threads, joined at the end of the scope.
fn together(unit: Duration) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| thread::sleep(unit));
        scope.spawn(|| thread::sleep(2 * unit));
    });
    start.elapsed()
}

/// Starts without waiting: a thread's handle is kept and joined later.
fn start_without_waiting(unit: Duration) -> &'static str {
    let started = thread::spawn(move || {
        thread::sleep(unit);
        "done"
    });
    let meanwhile: u64 = (1..=4).sum();
    assert_eq!(meanwhile, 10);
    started.join().expect("the thread does not panic")
}

/// Gathers in order: handles are joined in the order of the inputs.
fn gather_in_order() -> Vec<u64> {
    thread::scope(|scope| {
        let threads = [2_u64, 3, 4].map(|n| scope.spawn(move || (1..=n).product()));
        threads.map(|thread| thread.join().expect("multiplying does not panic")).to_vec()
    })
}

/// Waits with a limit: `recv_deadline`; the others wait on a channel that is disconnected then.
fn wait_with_limit(unit: Duration) -> (Vec<u64>, Vec<u64>) {
    let lengths = [1, 2, 50];
    let (cancel, cancelled) = channel::bounded::<Infallible>(0);
    let (sender, results) = channel::unbounded();
    thread::scope(|scope| {
        for length in lengths {
            let (cancelled, sender) = (cancelled.clone(), sender.clone());
            scope.spawn(move || match cancelled.recv_timeout(length * unit) {
                Err(RecvTimeoutError::Timeout) => sender.send(length.into()),
                _ => Ok(()),
            });
        }
        drop(sender);
        let deadline = Instant::now() + 10 * unit;
        let done: Vec<u64> = iter::from_fn(|| results.recv_deadline(deadline).ok()).collect();
        drop(cancel);
        let pending = lengths.map(u64::from).into_iter().filter(|length| !done.contains(length));
        (done.clone(), pending.collect())
    })
}

/// A group of tasks: the first error ends the scope, and a disconnected channel the siblings.
fn task_group(unit: Duration) -> Result<(), String> {
    let (cancel, cancelled) = channel::bounded::<Infallible>(0);
    let (sender, results) = channel::unbounded();
    thread::scope(|scope| {
        for (length, result) in [(50, Ok(())), (1, Err("one has failed".to_owned())), (50, Ok(()))]
        {
            let (cancelled, sender) = (cancelled.clone(), sender.clone());
            scope.spawn(move || match cancelled.recv_timeout(length * unit) {
                Err(RecvTimeoutError::Timeout) => sender.send(result),
                _ => Ok(()),
            });
        }
        drop(sender);
        let first_error = results.iter().collect();
        drop(cancel);
        first_error
    })
}

/// Sets once: a `OnceLock`, which blocks those who wait for its value.
fn set_once(unit: Duration) -> u64 {
    let value = OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(unit);
            value.set(42)
        });
        *value.wait()
    })
}

/// A blocking call: simply called, because a thread has nobody else to hold up.
fn blocking_call(unit: Duration) -> u64 {
    thread::sleep(unit);
    42
}

/// Ten jobs on a pool of five: five threads take them from one channel.
fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    let start = Instant::now();
    let (sender, jobs) = channel::unbounded();
    (0..10).for_each(|_| sender.send(unit).expect("a receiver lives"));
    drop(sender);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| jobs.iter().for_each(thread::sleep));
        }
    });
    start.elapsed()
}

mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(50);

    /// The shortest of a few tries, for a machine that has other things to do as well.
    fn shortest(form: fn(Duration) -> Duration) -> Duration {
        (0..5).map(|_| form(UNIT)).min().expect("it was tried")
    }

    /// What it returns, and how many units it took.
    fn timed<T>(function: impl FnOnce(Duration) -> T) -> (T, f64) {
        let start = Instant::now();
        let result = function(UNIT);
        (result, start.elapsed().as_secs_f64() / UNIT.as_secs_f64())
    }

    #[test]
    fn waits_one_after_the_other_add_up() {
        assert!(one_after_the_other(UNIT) >= 3 * UNIT);
    }

    #[test]
    fn waits_together_take_as_long_as_the_longest() {
        assert!((2 * UNIT..3 * UNIT).contains(&shortest(together)));
    }

    #[test]
    fn what_was_started_is_collected_later() {
        let (result, units) = timed(start_without_waiting);
        assert!(result == "done" && units >= 1.0);
    }

    #[test]
    fn results_come_in_the_order_of_the_inputs() {
        assert_eq!(gather_in_order(), [2, 6, 24]);
    }

    #[test]
    fn the_limit_parts_the_done_from_the_pending_and_ends_these() {
        let ((done, pending), units) = timed(wait_with_limit);
        assert_eq!((done, pending), (vec![1, 2], vec![50]));
        assert!((10.0..40.0).contains(&units), "{units}");
    }

    #[test]
    fn the_first_error_ends_the_siblings() {
        let (result, units) = timed(task_group);
        assert!(result.is_err());
        assert!((1.0..40.0).contains(&units), "{units}");
    }

    #[test]
    fn the_value_is_awaited_until_it_is_set() {
        let (value, units) = timed(set_once);
        assert!(value == 42 && units >= 1.0);
    }

    #[test]
    fn a_blocking_call_blocks() {
        let (value, units) = timed(blocking_call);
        assert!(value == 42 && units >= 1.0);
    }

    #[test]
    fn a_pool_of_five_does_ten_jobs_in_two_turns() {
        assert!((2 * UNIT..3 * UNIT).contains(&shortest(ten_jobs_on_a_pool_of_five)));
    }
}
