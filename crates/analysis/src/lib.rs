//! From a run to exact findings: what each case says, what is decided about a service, and where one model takes
//! over from another. Every number is exact; what shows it rounds it.

mod answers;
mod assemble;
pub mod case;
pub mod change;
pub mod comparable;
mod comparison;
pub mod contest;
pub mod curves;
pub mod decide;
pub mod decision_record;
pub mod findings;
mod histogram;
pub mod map;
pub mod misuses;
pub mod noise;
mod process;
mod remarks;
pub mod reproduce;
mod rounds;
mod rows;
mod run;
mod sessions;
pub mod setting;
pub mod shown;
pub mod suits;
pub mod text;
pub mod wakeups;

#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;

pub use findings::Report;
pub use process::Process;
pub use rounds::{Round, Rounds, Visited};
pub use run::Run;
