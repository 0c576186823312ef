//! What is computed: parameters, inputs, kernels and answers, with nothing about scheduling.
//!
//! Every strategy receives the same [`Workload::Input`] and calls the same kernels, so that only the
//! way the work is spawned, awaited and joined differs. The one use of a clock is to check that a
//! wait lasted as long as it should have; timing belongs to the `worker` crate.

mod accept;
mod catalog;
mod definition;
mod files;
mod hash;
mod http_server;
mod latency;
mod lens;
mod load;
mod memory;
mod params;
mod random;
mod usage_error;

pub mod channel;
pub mod deadline;
pub mod echo;
pub mod endpoints;
pub mod fairness;
pub mod fetch;
pub mod gather;
pub mod grain;
pub mod http;
pub mod idle;
pub mod join;
pub mod map;
pub mod matmul;
pub mod mixed;
pub mod observation;
pub mod pipeline;
pub mod read_files;
pub mod reduce;
pub mod ring;
pub mod serve;
pub mod service;
pub mod skewed;
pub mod sort;
pub mod spawn;
pub mod traffic;
pub mod write_files;

pub use accept::pause_after;
pub use catalog::{Case, Entry, Kind, catalog, find};
pub use definition::{
    Amount, Class, Definition, Grant, Limit, Metric, Profile, Sampling, Service, Site, Spec,
    Workload,
};
pub use hash::digest_of_bytes;
pub use http_server::{HttpParams, HttpServer};
pub use latency::{histogram, steps};
pub use lens::{Census, Gauge};
pub use load::{
    AnswerDigest, HttpLoad, Load, Pace, SEEDS, Sequence, Share, WAKE_UP, arrivals,
    closest_to_shares,
};
pub(crate) use params::params;
pub use params::{Key, ParamError, Params, Range, set};
pub use protocol::{Digest, Fact, Facts, Unit};
/// The name by which the strategies know it.
pub use usage_error::UsageError;

/// Calls a macro with the list of all workloads: `batch` ones are run, `service` ones are served.
///
/// This is the only list. The catalogue here and the `Suite` bound in the `worker` crate are
/// both made from it, so a workload that a strategy lacks is a compile error that names it.
#[macro_export]
macro_rules! for_each_workload {
    ($callback:ident) => {
        $callback! {
            batch: [
                $crate::gather::Gather,
                $crate::fetch::Fetch,
                $crate::read_files::ReadFiles,
                $crate::write_files::WriteFiles,
                $crate::map::Map,
                $crate::join::Join,
                $crate::sort::Sort,
                $crate::skewed::Skewed,
                $crate::matmul::Matmul,
                $crate::reduce::Reduce,
                $crate::grain::Grain,
                $crate::pipeline::Pipeline,
                $crate::channel::Channel,
                $crate::ring::Ring,
                $crate::deadline::Deadline,
                $crate::fairness::Fairness,
                $crate::spawn::Spawn,
                $crate::idle::Idle,
            ],
            service: [
                $crate::echo::Echo,
                $crate::serve::Server,
                $crate::endpoints::Endpoints,
                $crate::mixed::Mixed,
                $crate::traffic::Traffic,
            ],
        }
    };
}
