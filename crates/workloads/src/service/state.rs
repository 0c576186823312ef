//! What all connections of one service share, and the life of one request in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::{Connection, Work};
use crate::http::Status;
use crate::{Census, Fact, Facts, Gauge};

/// What a handler returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer(pub(super) Result<u64, Status>);

impl Answer {
    /// The answer of a strategy that cannot dispatch a request as it asks: status 501.
    pub fn not_implemented() -> Self {
        Answer(Err(Status::NOT_IMPLEMENTED))
    }
}

/// What a service of this kind may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections held at once; more are closed.
    pub connections: usize,
    /// Threads of the bounded pool.
    pub pool: usize,
    /// How long the rest of a request may take to arrive, from when its first part was there.
    pub patience: Duration,
}

impl Bounds {
    /// So many connections, a pool of 40 threads as web frameworks have it, and patience of ten seconds.
    pub(crate) fn of(connections: usize) -> Self {
        Bounds { connections, pool: 40, patience: Duration::from_secs(10) }
    }
}

/// The state that all connections of one service share.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Requests {
    bounds: Bounds,
    open: AtomicUsize,
    predicted: AtomicUsize,
    gauge: Gauge,
    census: Census,
}

impl Requests {
    /// A service without connections.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Requests {
            bounds,
            open: AtomicUsize::new(0),
            predicted: AtomicUsize::new(0),
            gauge: Gauge::default(),
            census: Census::new(),
        })
    }

    /// Most connections held at once.
    pub fn max_connections(&self) -> usize {
        self.bounds.connections
    }

    /// Threads of the bounded pool.
    pub fn pool(&self) -> usize {
        self.bounds.pool
    }

    /// Admits one connection more, or `None` if there are enough: then close it.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let before = self.open.fetch_add(1, Relaxed);
        let connection = Connection::new(Arc::clone(self));
        (before < self.bounds.connections).then_some(connection)
    }

    /// Gives back the place of a connection.
    pub(super) fn leave(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// How long the rest of a request may take to arrive.
    pub(super) fn patience(&self) -> Duration {
        self.bounds.patience
    }

    /// States, before the first connection, how many requests can be in flight together by the strategy's
    /// own account: the threads of the pool that is really there, or `usize::MAX` for no bound.
    pub fn predict_in_flight(&self, bound: usize) {
        self.predicted.store(bound, Relaxed);
    }

    /// What has been predicted; 0 for nothing.
    pub fn predicted_in_flight(&self) -> usize {
        self.predicted.load(Relaxed)
    }

    /// Starts a request: call it where the handler begins, then wait, then
    /// [`finish`](Running::finish) it.
    pub fn start(&self, work: Work) -> Running<'_> {
        self.census.mark();
        self.gauge.enter();
        let since = (work.wait > Duration::ZERO).then(Instant::now);
        Running { requests: self, work, since }
    }

    /// Handles a request by blocking the calling thread.
    pub fn block(&self, work: Work) -> Answer {
        let running = self.start(work);
        if work.wait > Duration::ZERO {
            thread::sleep(work.wait);
        }
        running.finish()
    }

    /// Where the handlers note which threads they ran on.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Most requests in flight since the last call.
    pub fn facts(&self) -> Facts {
        Facts::from([(Fact::PeakInFlight, self.gauge.take_peak() as u64)])
    }
}

/// A request being handled.
#[derive(Debug)]
pub struct Running<'a> {
    requests: &'a Requests,
    work: Work,
    since: Option<Instant>,
}

impl Running<'_> {
    /// Computes on the calling thread and returns the answer.
    pub fn finish(self) -> Answer {
        let digest = self.work.compute();
        self.finish_with(digest)
    }

    /// The answer where [`Work::compute`] was called elsewhere: spoilt if the wait was cut short.
    pub fn finish_with(self, digest: u64) -> Answer {
        let long_enough = self.since.is_none_or(|since| since.elapsed() >= self.work.wait);
        Answer(Ok(if long_enough { digest } else { !digest }))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.requests.gauge.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Arc<Requests> {
        Requests::new(Bounds { connections: 2, pool: 40, patience: Duration::from_secs(1) })
    }

    #[test]
    fn connections_beyond_the_bound_are_refused_until_one_closes() {
        let requests = requests();
        let (first, second) = (requests.admit(), requests.admit());
        assert!(first.is_some() && second.is_some());
        assert!(requests.admit().is_none());
        drop(first);
        assert!(requests.admit().is_some());
    }

    #[test]
    fn a_wait_cut_short_spoils_the_answer() {
        let requests = requests();
        let work = Work { wait: Duration::from_millis(5), ..Work::default() };
        assert_eq!(requests.block(work), Answer(Ok(work.compute())));
        assert_ne!(requests.start(work).finish(), Answer(Ok(work.compute())));
        assert_eq!(requests.facts()[&Fact::PeakInFlight], 1);
    }
}
