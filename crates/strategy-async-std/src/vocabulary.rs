//! What one says in a concurrent program, in async-std, without its `unstable` feature: joining and
//! racing of futures are behind that.

use std::thread;
use std::time::{Duration, Instant};

use async_std::{channel, future, task};

/// Two awaits, one after the other.
async fn one_after_the_other(unit: Duration) -> Duration {
    let start = Instant::now();
    task::sleep(unit).await;
    task::sleep(2 * unit).await;
    start.elapsed()
}

/// Two spawned tasks run at once; then both are awaited.
async fn together(unit: Duration) -> Duration {
    let start = Instant::now();
    let first = task::spawn(task::sleep(unit));
    let second = task::spawn(task::sleep(2 * unit));
    first.await;
    second.await;
    start.elapsed()
}

/// A spawned task runs at once; awaiting the `JoinHandle` gives its result.
async fn start_without_waiting(unit: Duration) -> &'static str {
    let handle = task::spawn(async move {
        task::sleep(unit).await;
        "done"
    });
    task::sleep(unit / 2).await; // something else meanwhile
    handle.await
}

/// One spawned task each; awaiting the handles in order gives the results in order.
async fn gather_in_order() -> Vec<u64> {
    let handles = [2, 3, 4].map(|n| task::spawn(async move { (1..=n).product() }));
    let mut factorials = Vec::new();
    for handle in handles {
        factorials.push(handle.await);
    }
    factorials
}

/// `future::timeout` on each handle; a dropped handle would let its task go on, so `cancel` it.
async fn wait_with_limit(unit: Duration) -> (Vec<u64>, Vec<u64>) {
    let deadline = Instant::now() + 10 * unit;
    let handles = [1, 2, 50].map(|length| (length, task::spawn(task::sleep(length as u32 * unit))));
    let (mut done, mut pending) = (Vec::new(), Vec::new());
    for (length, mut handle) in handles {
        let left = deadline.saturating_duration_since(Instant::now());
        if future::timeout(left, &mut handle).await.is_ok() {
            done.push(length);
        } else {
            handle.cancel().await;
            pending.push(length);
        }
    }
    (done, pending)
}

/// Siblings report over a channel; at the first error, whoever waits cancels all of them.
async fn task_group(unit: Duration) -> Result<(), String> {
    let (report, reports) = channel::unbounded();
    let siblings = [(50, Ok(())), (50, Ok(())), (1, Err("failed".to_owned()))];
    let handles = siblings.map(|(length, result)| {
        let report = report.clone();
        task::spawn(async move {
            task::sleep(length * unit).await;
            let _ = report.send(result).await;
        })
    });
    drop(report);
    let collecting = async {
        while let Ok(result) = reports.recv().await {
            result?;
        }
        Ok(())
    };
    let outcome = collecting.await;
    for handle in handles {
        handle.cancel().await;
    }
    outcome
}

/// A channel with room for one value, which the other side awaits.
async fn set_once(unit: Duration) -> u64 {
    let (sender, receiver) = channel::bounded(1);
    task::spawn(async move {
        task::sleep(unit).await;
        sender.send(7).await
    });
    receiver.recv().await.expect("it is sent")
}

/// `spawn_blocking` runs a closure on a pool that grows as needed.
async fn blocking_call(unit: Duration) -> u64 {
    task::spawn_blocking(move || {
        thread::sleep(unit);
        7
    })
    .await
}

/// The blocking pool has one size for the whole program; a channel that holds five bounds one use.
async fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    let start = Instant::now();
    let (enter, leave) = channel::bounded(5);
    let jobs = [(); 10].map(|()| {
        let (enter, leave) = (enter.clone(), leave.clone());
        task::spawn(async move {
            enter.send(()).await.expect("the channel stays open");
            task::spawn_blocking(move || thread::sleep(unit)).await;
            leave.recv().await.expect("this job is in");
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
        (0..5).map(|_| task::block_on(form(UNIT))).min().expect("it was tried")
    }

    #[test]
    fn waits_one_after_the_other_add_up() {
        assert!(task::block_on(one_after_the_other(UNIT)) >= 3 * UNIT);
    }

    #[test]
    fn waits_together_overlap() {
        let elapsed = shortest(together);
        assert!((2 * UNIT..3 * UNIT).contains(&elapsed), "{elapsed:?}");
    }

    #[test]
    fn a_task_runs_without_being_waited_for() {
        assert_eq!(task::block_on(start_without_waiting(UNIT)), "done");
    }

    #[test]
    fn results_come_in_order() {
        assert_eq!(task::block_on(gather_in_order()), [2, 6, 24]);
    }

    #[test]
    fn the_limit_parts_the_done_from_the_pending() {
        let start = Instant::now();
        assert_eq!(task::block_on(wait_with_limit(UNIT)), (vec![1, 2], vec![50]));
        assert!(start.elapsed() >= 10 * UNIT && start.elapsed() < 50 * UNIT);
    }

    #[test]
    fn one_failure_ends_the_group() {
        let start = Instant::now();
        assert_eq!(task::block_on(task_group(UNIT)), Err("failed".to_owned()));
        assert!(start.elapsed() >= UNIT && start.elapsed() < 50 * UNIT);
    }

    #[test]
    fn a_value_set_once_arrives() {
        assert_eq!(task::block_on(set_once(UNIT)), 7);
    }

    #[test]
    fn a_blocking_call_returns_its_result() {
        assert_eq!(task::block_on(blocking_call(UNIT)), 7);
    }

    #[test]
    fn ten_jobs_take_two_turns() {
        let elapsed = shortest(ten_jobs_on_a_pool_of_five);
        assert!((2 * UNIT..4 * UNIT).contains(&elapsed), "{elapsed:?}");
    }
}
