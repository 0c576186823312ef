//! A pool of threads that take jobs from a channel, for handlers whose number is to be bounded.

use std::thread;

use crossbeam::channel::{self, Sender};

type Job = Box<dyn FnOnce() + Send>;

/// A bounded pool; its threads end with the process.
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    /// Starts the threads, which the caller has [checked](machine::check_threads) to fit.
    pub(crate) fn new(threads: usize) -> Self {
        let (jobs, queue) = channel::unbounded::<Job>();
        for _ in 0..threads {
            let queue = queue.clone();
            thread::spawn(move || queue.iter().for_each(|job| job()));
        }
        Pool { jobs }
    }

    /// Runs a job on one of the threads and waits for its result.
    pub(crate) fn call<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, result) = channel::bounded(1);
        let job = move || sender.send(job()).expect("the caller waits");
        self.jobs.send(Box::new(job)).expect("the pool ends with the process");
        result.recv().expect("a job does not panic")
    }
}
