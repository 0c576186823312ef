//! How are the nine things said in tokio that every model has to say?

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SetOnce};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

/// Awaits the first wait, then the second.
async fn one_after_the_other(unit: Duration) -> Duration {
    let start = Instant::now();
    sleep(unit).await;
    sleep(2 * unit).await;
    start.elapsed()
}

/// `tokio::join!` polls both in turn, within one task.
async fn together(unit: Duration) -> Duration {
    let start = Instant::now();
    tokio::join!(sleep(unit), sleep(2 * unit));
    start.elapsed()
}

/// A spawned task runs at once; its handle is awaited when the result is needed.
async fn start_without_waiting(unit: Duration) -> &'static str {
    let task = tokio::spawn(async move {
        sleep(unit).await;
        "done"
    });
    sleep(unit / 2).await;
    task.await.expect("the task does not panic")
}

/// Handles in a list, awaited in the order in which the tasks were spawned.
async fn gather_in_order() -> Vec<u64> {
    let tasks: Vec<_> =
        (2..=4).map(|n: u64| tokio::spawn(async move { (1..=n).product() })).collect();
    let mut factorials = Vec::new();
    for task in tasks {
        factorials.push(task.await.expect("a product does not panic"));
    }
    factorials
}

/// `timeout` around joining a `JoinSet`, whose `shutdown` then ends what is left of it.
async fn wait_with_limit(unit: Duration) -> (Vec<u64>, Vec<u64>) {
    let mut tasks = JoinSet::new();
    let lengths = [1_u32, 2, 50];
    for length in lengths {
        tasks.spawn(async move {
            sleep(length * unit).await;
            u64::from(length)
        });
    }
    let mut done = Vec::new();
    let all = async {
        while let Some(Ok(length)) = tasks.join_next().await {
            done.push(length);
        }
    };
    let _ = timeout(10 * unit, all).await;
    tasks.shutdown().await;
    let pending = lengths.map(u64::from).into_iter().filter(|n| !done.contains(n)).collect();
    (done, pending)
}

/// Dropping a `JoinSet` aborts what is left in it, so returning the error ends the others.
async fn task_group(unit: Duration) -> Result<(), String> {
    let mut group = JoinSet::new();
    for sibling in 0..3 {
        group.spawn(async move {
            if sibling == 1 {
                sleep(unit).await;
                return Err(format!("sibling {sibling} failed"));
            }
            sleep(50 * unit).await;
            Ok(())
        });
    }
    while let Some(result) = group.join_next().await {
        result.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// `SetOnce` keeps the value for everybody who waits, now or later.
async fn set_once(unit: Duration) -> u64 {
    let value = Arc::new(SetOnce::new());
    let setter = Arc::clone(&value);
    tokio::spawn(async move {
        sleep(unit).await;
        setter.set(42).expect("nobody else sets it");
    });
    *value.wait().await
}

/// `spawn_blocking` takes the call to a thread of its own pool.
async fn blocking_call(unit: Duration) -> u64 {
    let call = spawn_blocking(move || {
        thread::sleep(unit);
        42
    });
    call.await.expect("the call does not panic")
}

/// The blocking pool is large, so a semaphore bounds it; a permit travels with its job.
async fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    let start = Instant::now();
    let pool = Arc::new(Semaphore::new(5));
    let mut jobs = JoinSet::new();
    for _ in 0..10 {
        let permit = Arc::clone(&pool).acquire_owned().await.expect("it is never closed");
        jobs.spawn_blocking(move || {
            thread::sleep(unit);
            drop(permit);
        });
    }
    jobs.join_all().await;
    start.elapsed()
}

const UNIT: Duration = Duration::from_millis(50);

/// The shortest of a few tries, for a machine that has other things to do as well.
async fn shortest<F: Future<Output = Duration>>(form: impl Fn(Duration) -> F) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        shortest = shortest.min(form(UNIT).await);
    }
    shortest
}

#[tokio::test]
async fn waits_add_up_one_after_the_other() {
    assert!(one_after_the_other(UNIT).await >= 3 * UNIT);
}

#[tokio::test]
async fn waits_overlap_together() {
    let elapsed = shortest(together).await;
    assert!(elapsed >= 2 * UNIT && elapsed < 3 * UNIT, "{elapsed:?}");
}

#[tokio::test]
async fn what_was_started_is_collected_later() {
    assert_eq!(start_without_waiting(UNIT).await, "done");
}

#[tokio::test]
async fn results_are_in_order() {
    assert_eq!(gather_in_order().await, [2, 6, 24]);
}

#[tokio::test]
async fn a_limit_tells_done_from_pending() {
    let start = Instant::now();
    assert_eq!(wait_with_limit(UNIT).await, (vec![1, 2], vec![50]));
    assert!(start.elapsed() >= 10 * UNIT && start.elapsed() < 40 * UNIT);
}

#[tokio::test]
async fn one_failure_ends_the_group() {
    let start = Instant::now();
    assert_eq!(task_group(UNIT).await, Err("sibling 1 failed".to_owned()));
    assert!(start.elapsed() >= UNIT && start.elapsed() < 25 * UNIT);
}

#[tokio::test]
async fn a_value_is_waited_for() {
    let start = Instant::now();
    assert_eq!(set_once(UNIT).await, 42);
    assert!(start.elapsed() >= UNIT);
}

#[tokio::test]
async fn a_blocking_call_does_not_hold_up_the_runtime() {
    let elsewhere = shortest(|unit| async move {
        let start = Instant::now();
        let (answer, elsewhere) = tokio::join!(blocking_call(4 * unit), async {
            sleep(unit).await;
            start.elapsed()
        });
        assert_eq!(answer, 42);
        assert!(start.elapsed() >= 4 * unit);
        elsewhere
    });
    let elsewhere = elsewhere.await;
    assert!(elsewhere < 3 * UNIT, "{elsewhere:?}");
}

#[tokio::test]
async fn ten_jobs_take_two_rounds_on_five_threads() {
    let elapsed = shortest(ten_jobs_on_a_pool_of_five).await;
    assert!(elapsed >= 2 * UNIT && elapsed < 3 * UNIT, "{elapsed:?}");
}
