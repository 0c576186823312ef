//! What the memory gives: threads that are running already read the array once, chunk by chunk.

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
    /// How often one of the others has found nothing left to read.
    ended: AtomicUsize,
    next_chunk: AtomicUsize,
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
        for _ in 1..self.workers {
            let (input, shared) = (Arc::clone(input), Arc::clone(&self.shared));
            thread::Builder::new().spawn(move || {
                for time in 1.. {
                    spin_until(&shared.begun, time);
                    shared.sum.fetch_add(shared.read(&input) as u64, SeqCst);
                    shared.ended.fetch_add(1, SeqCst);
                }
            })?;
        }
        Ok(())
    }

    /// Reads the whole array and returns its sum.
    pub(crate) fn read(&self, input: &Numbers) -> f64 {
        let Shared { begun, ended, next_chunk, sum } = &*self.shared;
        next_chunk.store(0, SeqCst);
        let time = begun.fetch_add(1, SeqCst) + 1;
        let own = self.shared.read(input);
        spin_until(ended, time * (self.workers - 1));
        own + sum.swap(0, SeqCst) as f64
    }
}

impl Shared {
    /// Reads chunks until none is left and returns their sum.
    fn read(&self, input: &Numbers) -> f64 {
        let mut sum = 0.0;
        loop {
            let chunk = self.next_chunk.fetch_add(1, SeqCst);
            if chunk >= input.chunks() {
                return sum;
            }
            sum += input.sum(chunk);
        }
    }
}

fn spin_until(counter: &AtomicUsize, value: usize) {
    while counter.load(SeqCst) < value {
        hint::spin_loop();
    }
}
