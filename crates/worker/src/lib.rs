//! How one process runs and times a cell: the seam that strategies implement, the clock, resource
//! usage, the protocol, the load generator, and the command line of a strategy by itself.
//!
//! A strategy's `main` is one call of [`main`] with its [`Variant`]s. The harness uses the parent's
//! half, [`launch`], and knows a strategy only as a program that speaks the [`protocol`].

mod cell;
mod child;
mod cli;
mod sample;
mod seam;
mod suite;
mod table;

pub mod conformance;
pub mod generator;
pub mod interrupt;
pub mod launch;
pub mod observation;
pub mod os;
pub mod peer;
pub mod protocol;
pub mod readiness;
pub mod scratch;
pub mod selection;
pub mod units;

pub use cli::{finish, main};
pub use os::limits;
pub use seam::{
    AT_ONCE_PER_WORKER, How, Means, Run, Serve, Standing, Strategy, pause_after, unsupported,
};
pub use suite::{Partial, Suite, Variant};
