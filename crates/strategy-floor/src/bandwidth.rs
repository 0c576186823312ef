//! What the memory gives: threads that are running already read the array once, with nothing to hand over.

use std::hint;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use worker::{Means, Strategy};
use workloads::reduce::Numbers;

/// The calling thread and others that spin until it begins.
pub(crate) struct Bandwidth {
    workers: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How often reading has begun.
    begun: AtomicUsize,
    /// How often one of the others has come to the end of its part.
    ended: AtomicUsize,
    /// Sum of what the others read. Whole numbers, so that they can be added up atomically.
    sum: AtomicU64,
}

impl Strategy for Bandwidth {
    const NAME: &'static str = "floor";
    const VARIANT: &'static str = "bandwidth";

    fn build(means: &Means) -> io::Result<Self> {
        Ok(Bandwidth { workers: means.workers, shared: Arc::default() })
    }
}

impl Bandwidth {
    /// Starts the other threads, which from then on spin between two runs.
    pub(crate) fn start(&self, input: &Arc<Numbers>) -> io::Result<()> {
        for part in input.parts(self.workers).skip(1) {
            let (input, shared) = (Arc::clone(input), Arc::clone(&self.shared));
            thread::Builder::new().spawn(move || {
                for time in 1.. {
                    spin_until(&shared.begun, time);
                    shared.sum.fetch_add(input.sum_of(part.clone()) as u64, SeqCst);
                    shared.ended.fetch_add(1, SeqCst);
                }
            })?;
        }
        Ok(())
    }

    /// Reads the whole array and returns its sum.
    pub(crate) fn read(&self, input: &Numbers) -> f64 {
        let others = self.workers - 1;
        let time = self.shared.begun.fetch_add(1, SeqCst) + 1;
        let own: f64 = input.parts(self.workers).take(1).map(|part| input.sum_of(part)).sum();
        spin_until(&self.shared.ended, time * others);
        own + self.shared.sum.swap(0, SeqCst) as f64
    }
}

fn spin_until(counter: &AtomicUsize, value: usize) {
    while counter.load(SeqCst) < value {
        hint::spin_loop();
    }
}
