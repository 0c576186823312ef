//! What one says in a concurrent program, in smol.

use std::thread;
use std::time::{Duration, Instant};

use smol::future::{self, FutureExt};
use smol::lock::{OnceCell, Semaphore};
use smol::{Task, Timer};

/// Two awaits, one after the other.
async fn one_after_the_other(unit: Duration) -> Duration {
    let start = Instant::now();
    Timer::after(unit).await;
    Timer::after(2 * unit).await;
    start.elapsed()
}

/// `future::zip` polls both futures in the same task.
async fn together(unit: Duration) -> Duration {
    let start = Instant::now();
    future::zip(Timer::after(unit), Timer::after(2 * unit)).await;
    start.elapsed()
}

/// A spawned task runs at once; awaiting the `Task` gives its result.
async fn start_without_waiting(unit: Duration) -> &'static str {
    let task = smol::spawn(async move {
        Timer::after(unit).await;
        "done"
    });
    Timer::after(unit / 2).await; // something else meanwhile
    task.await
}

/// One spawned task each; awaiting them in order gives the results in order.
async fn gather_in_order() -> Vec<u64> {
    let tasks = [2, 3, 4].map(|n| smol::spawn(async move { (1..=n).product() }));
    let mut factorials = Vec::new();
    for task in tasks {
        factorials.push(task.await);
    }
    factorials
}

/// Each task races against a `Timer` by `or`; one that loses is dropped, which cancels it.
async fn wait_with_limit(unit: Duration) -> (Vec<u64>, Vec<u64>) {
    let deadline = Instant::now() + 10 * unit;
    let tasks = [1, 2, 50].map(|length| {
        let task = smol::spawn(async move {
            Timer::after(length as u32 * unit).await;
        });
        (length, task)
    });
    let (mut done, mut pending) = (Vec::new(), Vec::new());
    for (length, task) in tasks {
        let in_time = async {
            task.await;
            true
        };
        let too_late = async {
            Timer::at(deadline).await;
            false
        };
        if in_time.or(too_late).await { done.push(length) } else { pending.push(length) }
    }
    (done, pending)
}

/// `future::try_zip` ends with the first error and drops the other tasks, which cancels them.
async fn task_group(unit: Duration) -> Result<(), String> {
    let sibling = |length: u32, result: Result<(), String>| -> Task<Result<(), String>> {
        smol::spawn(async move {
            Timer::after(length * unit).await;
            result
        })
    };
    let (first, second) = (sibling(50, Ok(())), sibling(50, Ok(())));
    let failing = sibling(1, Err("failed".to_owned()));
    future::try_zip(first, future::try_zip(second, failing)).await?;
    Ok(())
}

/// A `OnceCell`, on which the other side waits.
async fn set_once(unit: Duration) -> u64 {
    let cell = OnceCell::new();
    let setting = async {
        Timer::after(unit).await;
        cell.set(7).await.expect("nobody else sets it");
    };
    let ((), value) = future::zip(setting, cell.wait()).await;
    *value
}

/// `unblock` runs a closure on a pool that grows as needed, and returns a `Task` to await.
async fn blocking_call(unit: Duration) -> u64 {
    smol::unblock(move || {
        thread::sleep(unit);
        7
    })
    .await
}

/// The pool of `unblock` has one size for the whole program; a `Semaphore` bounds one use of it.
async fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    static PERMITS: Semaphore = Semaphore::new(5);
    let start = Instant::now();
    let jobs = [(); 10].map(|()| {
        smol::spawn(async move {
            let _permit = PERMITS.acquire().await;
            smol::unblock(move || thread::sleep(unit)).await;
        })
    });
    for job in jobs {
        job.await;
    }
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(50);

    /// The shortest of a few tries, for a machine that has other things to do as well.
    fn shortest<F: Future<Output = Duration>>(form: fn(Duration) -> F) -> Duration {
        (0..5).map(|_| smol::block_on(form(UNIT))).min().expect("it was tried")
    }

    #[test]
    fn waits_one_after_the_other_add_up() {
        assert!(smol::block_on(one_after_the_other(UNIT)) >= 3 * UNIT);
    }

    #[test]
    fn waits_together_overlap() {
        let elapsed = shortest(together);
        assert!((2 * UNIT..3 * UNIT).contains(&elapsed), "{elapsed:?}");
    }

    #[test]
    fn a_task_runs_without_being_waited_for() {
        assert_eq!(smol::block_on(start_without_waiting(UNIT)), "done");
    }

    #[test]
    fn results_come_in_order() {
        assert_eq!(smol::block_on(gather_in_order()), [2, 6, 24]);
    }

    #[test]
    fn the_limit_parts_the_done_from_the_pending() {
        let start = Instant::now();
        assert_eq!(smol::block_on(wait_with_limit(UNIT)), (vec![1, 2], vec![50]));
        assert!(start.elapsed() >= 10 * UNIT && start.elapsed() < 50 * UNIT);
    }

    #[test]
    fn one_failure_ends_the_group() {
        let start = Instant::now();
        assert_eq!(smol::block_on(task_group(UNIT)), Err("failed".to_owned()));
        assert!(start.elapsed() >= UNIT && start.elapsed() < 50 * UNIT);
    }

    #[test]
    fn a_value_set_once_arrives() {
        assert_eq!(smol::block_on(set_once(UNIT)), 7);
    }

    #[test]
    fn a_blocking_call_returns_its_result() {
        assert_eq!(smol::block_on(blocking_call(UNIT)), 7);
    }

    #[test]
    fn ten_jobs_take_two_turns() {
        let elapsed = shortest(ten_jobs_on_a_pool_of_five);
        assert!((2 * UNIT..4 * UNIT).contains(&elapsed), "{elapsed:?}");
    }
}
