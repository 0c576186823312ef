//! Starts a worker, watches it, and turns whatever it says or does into a measurement or a typed failure.

mod child;
mod finish;
mod overspent;
mod visit;

pub mod interrupt;
pub mod scratch;
pub mod selection;

pub use child::{CELL, Live, PEER, TUNING, stop, stopped};
pub use finish::finish;
pub use protocol::Placement;
pub use visit::{Backend, Description, Served, Visit, describe, oracle};
