//! What passes between the harness and the processes that it measures: messages, answers as digests, the
//! form in which a strategy did its work, failures, and the units in which numbers are shown.

mod clean;
mod digest;
mod facts;
mod failure;
mod how;
mod measured;
mod median;
mod messages;
mod sampling;
mod unit;

pub mod units;

pub use clean::clean;
pub use digest::{Digest, mix};
pub use facts::{Fact, Facts, known_facts};
pub use failure::{Failure, FailureKind};
pub use how::{How, Standing, unsupported};
pub use measured::{Mark, Measured, Sample, Usage, Window};
pub use median::median;
pub use messages::{
    Envelope, PROTOCOL, Reply, Request, RunRequest, ServeRequest, from_line, send, to_line,
};
pub use sampling::{Placement, SamplingPlan};
pub use unit::Unit;
