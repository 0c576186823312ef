//! Instruments that kernels carry, so that every strategy is seen through the same lens.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

thread_local! {
    static SEEN_BY: Cell<u64> = const { Cell::new(0) };
}

/// Counts the distinct threads on which operations ran.
#[derive(Debug)]
pub struct Census {
    epoch: AtomicU64,
    threads: AtomicUsize,
}

impl Census {
    /// A census that has seen no thread.
    pub fn new() -> Self {
        Census { epoch: AtomicU64::new(next_epoch()), threads: AtomicUsize::new(0) }
    }

    /// Notes the calling thread. One thread-local comparison when it has been seen before.
    #[inline]
    pub fn mark(&self) {
        let epoch = self.epoch.load(Relaxed);
        SEEN_BY.with(|seen| {
            if seen.replace(epoch) != epoch {
                self.threads.fetch_add(1, Relaxed);
            }
        });
    }

    /// Distinct threads seen since the last call, which starts the count again.
    pub fn take(&self) -> usize {
        self.epoch.store(next_epoch(), Relaxed);
        self.threads.swap(0, Relaxed)
    }

    /// Distinct threads seen since the last [`take`](Census::take).
    pub fn threads(&self) -> usize {
        self.threads.load(Relaxed)
    }
}

impl Default for Census {
    fn default() -> Self {
        Census::new()
    }
}

fn next_epoch() -> u64 {
    static EPOCH: AtomicU64 = AtomicU64::new(1);
    EPOCH.fetch_add(1, Relaxed)
}

/// Counts operations in flight and remembers the largest number.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Gauge {
    /// One more in flight.
    #[inline]
    pub fn enter(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(now, Relaxed);
    }

    /// One less in flight.
    #[inline]
    pub fn leave(&self) {
        self.now.fetch_sub(1, Relaxed);
    }

    /// The largest number in flight since the last call, which starts again from what is in flight.
    pub fn take_peak(&self) -> usize {
        self.peak.swap(self.now.load(Relaxed), Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_counts_once_however_often_it_is_marked() {
        let census = Census::new();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..100).for_each(|_| census.mark()));
            }
        });
        assert_eq!(census.take(), 3);
        assert_eq!(census.threads(), 0);
        census.mark();
        assert_eq!(census.take(), 1);
    }

    #[test]
    fn two_censuses_do_not_share_their_counts() {
        let (first, second) = (Census::new(), Census::new());
        first.mark();
        second.mark();
        first.mark();
        assert!(first.threads() >= 1);
        assert_eq!(second.threads(), 1);
    }

    #[test]
    fn the_gauge_keeps_the_largest_number_in_flight() {
        let gauge = Gauge::default();
        gauge.enter();
        gauge.enter();
        gauge.leave();
        gauge.enter();
        gauge.leave();
        gauge.leave();
        assert_eq!(gauge.take_peak(), 2);
        assert_eq!(gauge.take_peak(), 0);
    }
}
