//! The seam: what a strategy implements.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use protocol::{Digest, How};
use workloads::{Service, Workload};

/// What every strategy is granted alike.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// Worker threads; at least 1.
    pub workers: usize,
}

/// A way to organise concurrent work.
pub trait Strategy: Sized + Send + Sync + 'static {
    /// Name of the strategy, as in commands and reports.
    const NAME: &'static str;
    /// Name of this variant of it.
    const VARIANT: &'static str;

    /// Starts the runtime or pool, outside the clock.
    ///
    /// # Errors
    /// If threads cannot be started.
    fn build(means: &Means) -> io::Result<Self>;
}

/// How a strategy carries out a batch workload. This body is what is compared.
pub trait Run<W: Workload>: Strategy {
    /// The form used with these parameters, or `None` if the model has no honest one; then
    /// [`ready`](Run::ready) or [`run`](Run::run) returns [`unsupported`] with the reason.
    fn how(params: &W::Params) -> Option<How>;

    /// Builds, outside the clock, what this input needs besides the runtime: a pool of another size.
    ///
    /// # Errors
    /// If threads cannot be started, or [`unsupported`].
    fn ready(&self, input: &Arc<W::Input>) -> io::Result<()> {
        let _ = input;
        Ok(())
    }

    /// Does the work once, inside the clock.
    ///
    /// # Errors
    /// If an operation fails, or [`unsupported`].
    fn run(&self, input: &Arc<W::Input>) -> io::Result<Digest>;
}

/// How a strategy serves a network service.
pub trait Serve<S: Service>: Strategy {
    /// The form used with these parameters, or `None` if the model has no honest one; then
    /// [`ready`](Serve::ready) returns [`unsupported`] with the reason.
    fn how(params: &S::Params) -> Option<How>;

    /// Builds what this service needs besides the runtime, before anybody connects.
    ///
    /// # Errors
    /// If threads cannot be started, or [`unsupported`].
    fn ready(&self, service: &Arc<S>) -> io::Result<()> {
        let _ = service;
        Ok(())
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the listener fails, or [`unsupported`].
    fn serve(&self, listener: TcpListener, service: &Arc<S>) -> io::Result<()>;
}

/// Long computations that a strategy hands to a pool for blocking calls at once, for each worker. With one
/// a CPU is idle while the next is handed over, which takes two wake-ups; without a bound there would be a
/// thread for each request.
pub const AT_ONCE_PER_WORKER: usize = 4;
