//! What is seen of the stages: how long each takes, and how many records are between each two.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::{Census, Fact, Facts};

/// The stages in order.
const STAGES: [&str; 4] = ["read", "parse", "compress", "write"];

/// What was noted since facts were last taken.
#[derive(Debug, Default)]
pub(super) struct Lens {
    /// What is between each two stages.
    queues: [Queue; STAGES.len() - 1],
    /// Time spent in each stage.
    stage_ns: [AtomicU64; STAGES.len()],
    unbounded: AtomicBool,
    census: Census,
}

impl Lens {
    /// Runs a kernel as stage number `stage`, which takes from the queue before it and gives to the
    /// one after it.
    pub(super) fn watch<T>(&self, stage: usize, kernel: impl FnOnce() -> T) -> T {
        self.census.mark();
        if stage > 0 {
            self.queues[stage - 1].leave();
        }
        let start = Instant::now();
        let result = kernel();
        self.stage_ns[stage].fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        if let Some(queue) = self.queues.get(stage) {
            queue.enter();
        }
        result
    }

    /// The queues have no bound until facts are taken.
    pub(super) fn unbounded(&self) {
        self.unbounded.store(true, Relaxed);
    }

    pub(super) fn census(&self) -> &Census {
        &self.census
    }

    /// How deep the queues were and how long the slowest stage took, where each queue holds `bound`
    /// records. The next run starts with nothing noted.
    ///
    /// # Errors
    /// The sentence that says which queue was deeper.
    pub(super) fn take(&self, bound: u64) -> Result<Facts, String> {
        let peaks = self.queues.each_ref().map(Queue::take_peak);
        let stage_ns = self.stage_ns.each_ref().map(|ns| ns.swap(0, Relaxed));
        let unbounded = self.unbounded.swap(false, Relaxed);
        // What a queue holds, and what its sender and its receiver hold in their hands.
        let allowed = bound + 2;
        for (queue, &peak) in peaks.iter().enumerate() {
            if peak > allowed && !unbounded {
                let (from, to) = (STAGES[queue], STAGES[queue + 1]);
                return Err(format!(
                    "{peak} records were between {from} and {to}: {allowed} may be"
                ));
            }
        }
        Ok(Facts::from([
            (Fact::PeakDepth, peaks.into_iter().fold(0, u64::max)),
            (Fact::SlowestStageNs, stage_ns.into_iter().fold(0, u64::max)),
        ]))
    }
}

/// What is between two stages. Signed, so that a strategy in the wrong does not make it wrap.
#[derive(Debug, Default)]
struct Queue {
    now: AtomicI64,
    peak: AtomicI64,
}

impl Queue {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(now, Relaxed);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Relaxed);
    }

    /// The most there was at once; the queue is empty from then on.
    fn take_peak(&self) -> u64 {
        self.now.store(0, Relaxed);
        self.peak.swap(0, Relaxed).unsigned_abs()
    }
}
