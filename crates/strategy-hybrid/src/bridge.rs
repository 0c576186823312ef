//! The bridge: how async code has something computed on rayon.

use std::io;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

/// The rayon pool, as async code sees it.
#[derive(Clone)]
pub(crate) struct Cpu(Arc<ThreadPool>);

impl Cpu {
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            // Without this a panic aborts the process; so it ends its job, and the task that awaits that
            // is told.
            .panic_handler(|_| {})
            .build()
            .map_err(io::Error::other)?;
        Ok(Cpu(Arc::new(pool)))
    }

    /// Computes on the pool; the task that awaits this leaves its worker to others meanwhile.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move || {
            // Fails where the task that awaits this has been cancelled.
            let _ = sender.send(job());
        });
        receiver.await.map_err(io::Error::other)
    }

    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        self.0.current_num_threads()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_is_an_error_and_the_pool_goes_on() {
        let cpu = Cpu::new(1).unwrap();
        assert!(cpu.compute(|| panic!("on purpose")).await.is_err());
        assert_eq!(cpu.compute(|| 7).await.unwrap(), 7);
    }
}
