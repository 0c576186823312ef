//! The most threads that this process has at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::threads;

/// Looks at the number of threads every millisecond until it is stopped.
#[derive(Debug)]
pub struct ThreadWatch {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    watcher: thread::JoinHandle<()>,
}

impl ThreadWatch {
    /// Begins to watch.
    ///
    /// # Errors
    /// If there are no threads left.
    pub fn start() -> io::Result<Self> {
        let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let watcher = {
            let (stop, peak) = (Arc::clone(&stop), Arc::clone(&peak));
            thread::Builder::new().name("thread-watch".into()).spawn(move || {
                while !stop.load(Relaxed) {
                    // Not counting this one.
                    peak.fetch_max(threads().unwrap_or(1) - 1, Relaxed);
                    thread::sleep(Duration::from_millis(1));
                }
            })?
        };
        Ok(ThreadWatch { stop, peak, watcher })
    }

    /// The most threads seen, without the watcher.
    pub fn stop(self) -> Option<u64> {
        self.stop.store(true, Relaxed);
        self.watcher.join().ok()?;
        Some(self.peak.load(Relaxed)).filter(|&peak| peak > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::time::Instant;

    #[test]
    fn the_watch_sees_threads_that_end_before_it_does() {
        let watch = ThreadWatch::start().unwrap();
        // More than all tests that run beside this one have together.
        let seen = Barrier::new(301);
        thread::scope(|scope| {
            for _ in 0..300 {
                scope.spawn(|| seen.wait());
            }
            let patience = Instant::now() + Duration::from_mins(1);
            while watch.peak.load(Relaxed) < 300 && Instant::now() < patience {
                thread::yield_now();
            }
            seen.wait();
        });
        assert!(watch.stop().unwrap() >= 300);
    }
}
