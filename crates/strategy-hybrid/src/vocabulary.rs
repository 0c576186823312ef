//! The vocabulary of the hybrid: what it says otherwise than tokio does.
//!
//! - `one_after_the_other`: there is none: it is tokio's own
//! - `together`: there is none: it is tokio's own
//! - `start_without_waiting`: there is none: it is tokio's own
//! - `wait_with_limit`: there is none: it is tokio's own
//! - `task_group`: there is none: it is tokio's own
//! - `set_once`: there is none: it is tokio's own

use std::thread;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use tokio::sync::oneshot;

/// A parallel iterator handed to rayon, which collects in order; a oneshot brings the results back.
async fn gather_in_order() -> Vec<u64> {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || {
        let factorials = [2, 3, 4].into_par_iter().map(|n| (1..=n).product()).collect();
        let _ = sender.send(factorials);
    });
    receiver.await.expect("the job does not panic")
}

/// Computing goes to rayon, whose threads are as many as CPUs; a oneshot brings the result back.
async fn blocking_call(unit: Duration) -> u64 {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || {
        let start = Instant::now();
        let sum = (1..).take_while(|_| start.elapsed() < unit).fold(0, u64::wrapping_add);
        let _ = sender.send(sum);
    });
    receiver.await.expect("the job does not panic")
}

/// A rayon pool of five threads, with ten jobs in one scope; a oneshot says that it is over.
async fn ten_jobs_on_a_pool_of_five(unit: Duration) -> Duration {
    let pool = ThreadPoolBuilder::new().num_threads(5).build().expect("threads can be started");
    let start = Instant::now();
    let (sender, receiver) = oneshot::channel();
    pool.spawn(move || {
        rayon::scope(|scope| (0..10).for_each(|_| scope.spawn(|_| thread::sleep(unit))));
        let _ = sender.send(start.elapsed());
    });
    receiver.await.expect("the jobs do not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn results_come_in_order() {
        assert_eq!(gather_in_order().await, [2, 6, 24]);
    }

    #[tokio::test]
    async fn computing_does_not_hold_up_the_only_worker() {
        let mut went_on = false;
        // A few tries, for a machine that has other things to do as well.
        for _ in 0..5 {
            let start = Instant::now();
            let call = tokio::spawn(blocking_call(UNIT));
            tokio::time::sleep(UNIT / 10).await;
            went_on |= !call.is_finished();
            assert!(call.await.unwrap() > 0);
            assert!(start.elapsed() >= UNIT);
        }
        assert!(went_on);
    }

    #[tokio::test]
    async fn five_jobs_run_at_once() {
        let mut shortest = Duration::MAX;
        for _ in 0..5 {
            shortest = shortest.min(ten_jobs_on_a_pool_of_five(UNIT).await);
        }
        assert!((2 * UNIT..6 * UNIT).contains(&shortest), "{shortest:?}");
    }
}
