//! The seam: what a strategy implements.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workloads::{Digest, Service, Workload};

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

/// The form in which a strategy does a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// The form in a few words.
    pub form: String,
    /// The page of the model's own documentation that recommends it.
    pub link: String,
    /// Whether the form may be recommended.
    pub standing: Standing,
}

impl How {
    /// A form that the model's documentation recommends for this.
    pub fn fair(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Fair })
    }

    /// A form that works well and that the model was not made for.
    pub fn off_label(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::OffLabel })
    }

    /// A known mistake, measured for its price.
    pub fn misuse(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Misuse })
    }

    /// No model at all: what the others are held against.
    pub fn floor(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Floor })
    }
}

/// Whether a form may be recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// What the model's documentation recommends.
    Fair,
    /// Sound, though not what the model was made for.
    OffLabel,
    /// A known mistake; never recommended.
    Misuse,
    /// No model at all.
    Floor,
}

impl Standing {
    /// What is put behind a case in a list of forms; nothing for the usual standing.
    pub(crate) fn remark(self) -> &'static str {
        match self {
            Standing::Fair => "",
            Standing::OffLabel => " (off-label)",
            Standing::Misuse => " (misuse)",
            Standing::Floor => " (floor)",
        }
    }
}

/// The error of a strategy that has no honest form of a workload; the reason goes into the report.
pub fn unsupported(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, reason.into())
}

/// Long computations that a strategy hands to a pool for blocking calls at once, for each worker. With one
/// a CPU is idle while the next is handed over, which takes two wake-ups; without a bound there would be a
/// thread for each request.
pub const AT_ONCE_PER_WORKER: usize = 4;

/// How long a server pauses after it could not accept a connection: not at all when only this
/// connection was at fault, a moment when files or memory have run out, so as not to spin.
pub fn pause_after(error: &io::Error) -> Duration {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::Interrupted => Duration::ZERO,
        _ => Duration::from_millis(10),
    }
}
