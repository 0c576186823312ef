//! What is computed: parameters, inputs, kernels and answers, with nothing about scheduling.
//!
//! Every strategy receives the same [`Workload::Input`] and calls the same kernels, so that only the
//! way the work is spawned, awaited and joined differs. The one use of a clock is to check that a
//! wait lasted as long as it should have; timing belongs to the `worker` crate.

mod catalog;
mod definition;
mod digest;
mod lens;
mod params;

pub mod echo;
pub mod endpoints;
pub mod gather;
pub mod join;
pub mod map;
pub mod read_files;

pub use catalog::{Case, Entry, Kind, catalog, find};
pub use definition::{
    Class, Definition, Facts, Limit, Metric, Profile, Sampling, Service, Spec, Workload,
};
pub use digest::Digest;
pub use lens::{Census, Gauge};
pub use params::{Key, ParamError, Params, Range, set};

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
                $crate::read_files::ReadFiles,
                $crate::map::Map,
                $crate::join::Join,
                $crate::endpoints::Endpoints,
            ],
            service: [
                $crate::echo::Echo,
            ],
        }
    };
}
