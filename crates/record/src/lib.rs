//! What lies in the folder of a run: its plan, its journal, the machine it ran on, and what is known of the
//! strategies. Data that is read and written, nothing that computes.

pub mod axis;
pub mod decision;
mod effort;
pub mod host;
pub mod journal;
pub mod map;
pub mod models;
pub mod noise;
pub mod plan;
pub mod program;
mod schema;
pub mod service;
mod sources;
pub mod values;

#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;

pub use decision::{CAPACITY, Change, DESCRIBED, LeftOut};
pub use effort::{budget, design};
pub use host::{CpuQuota, Host};
pub use plan::{Capacity, Plan, PlannedCase, PlannedEntry, Purpose};
pub use schema::SCHEMA;
pub use service::ServiceProfile;
pub use sources::Sources;
