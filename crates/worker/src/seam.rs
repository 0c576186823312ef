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
    /// If threads cannot be started; [`unsupported`](crate::unsupported) if the workers are too few.
    fn build(means: &Means) -> io::Result<Self>;
}

/// How a strategy carries out a batch workload. This body is what is compared.
pub trait Run<W: Workload>: Strategy {
    /// The form used with these parameters. Where it is [`How::unsupported`], its reason is the reply, and the
    /// strategy is neither built nor asked for anything else. [`no_form`] declares that for all parameters.
    ///
    /// [`no_form`]: crate::no_form
    fn how(params: &W::Params) -> How;

    /// Builds, outside the clock, what this input needs besides the runtime: a pool of another size.
    ///
    /// # Errors
    /// If threads cannot be started; [`unsupported`](crate::unsupported) if the machine does not allow so many.
    fn ready(&self, input: &Arc<W::Input>) -> io::Result<()> {
        let _ = input;
        Ok(())
    }

    /// Does the work once, inside the clock.
    ///
    /// # Errors
    /// If an operation fails; [`unsupported`](crate::unsupported) if the workers are too few for it.
    fn run(&self, input: &Arc<W::Input>) -> io::Result<Digest>;
}

/// How a strategy serves a network service.
pub trait Serve<S: Service>: Strategy {
    /// The form used with these parameters. Where it is [`How::unsupported`], its reason is the reply, and the
    /// strategy is neither built nor asked for anything else. [`no_form`] declares that for all parameters.
    ///
    /// [`no_form`]: crate::no_form
    fn how(params: &S::Params) -> How;

    /// Builds what this service needs besides the runtime, before clients connect.
    ///
    /// # Errors
    /// If threads cannot be started; [`unsupported`](crate::unsupported) if the machine does not allow so many.
    fn ready(&self, service: &Arc<S>) -> io::Result<()> {
        let _ = service;
        Ok(())
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the listener fails.
    fn serve(&self, listener: TcpListener, service: &Arc<S>) -> io::Result<()>;
}

/// Declares that a strategy has no honest form of a workload, whatever the parameters, and why:
/// `no_form!(Run<Ring> for Rayon: "a node that waits is a blocked thread")`, or `Serve` for a service.
#[macro_export]
macro_rules! no_form {
    (Run<$workload:ty> for $strategy:ty: $reason:expr) => {
        impl $crate::Run<$workload> for $strategy {
            fn how(_: &<$workload as $crate::workloads::Definition>::Params) -> $crate::How {
                $crate::How::unsupported($reason)
            }

            fn run(
                &self,
                _: &std::sync::Arc<<$workload as $crate::workloads::Workload>::Input>,
            ) -> std::io::Result<$crate::workloads::Digest> {
                unreachable!("`how` says that there is no form")
            }
        }
    };
    (Serve<$service:ty> for $strategy:ty: $reason:expr) => {
        impl $crate::Serve<$service> for $strategy {
            fn how(_: &<$service as $crate::workloads::Definition>::Params) -> $crate::How {
                $crate::How::unsupported($reason)
            }

            fn serve(
                &self,
                _: std::net::TcpListener,
                _: &std::sync::Arc<$service>,
            ) -> std::io::Result<()> {
                unreachable!("`how` says that there is no form")
            }
        }
    };
}

/// Long computations that a strategy hands to a pool for blocking calls at once, for each worker. With one
/// a CPU is idle while the next is handed over, which takes two wake-ups; without a bound there would be a
/// thread for each request.
pub const AT_ONCE_PER_WORKER: usize = 4;
