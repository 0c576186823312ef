//! How one process runs and times a cell: the seam that strategies implement, the clock, and the child's half
//! of the protocol. A strategy's program links this and no more.

use std::process::ExitCode;

mod sample;
mod seam;

pub mod cell;
pub mod speak;
pub mod suite;

pub use protocol::{How, unsupported};
pub use seam::{AT_ONCE_PER_WORKER, Means, Run, Serve, Strategy};
pub use suite::{Partial, Suite, Variant};
#[doc(hidden)] // For what `no_form` expands to.
pub use workloads;
pub use workloads::pause_after;

/// The subcommand under which a strategy's program speaks the protocol.
pub const CELL: &str = "cell";

/// The whole program of a strategy that the harness measures: it speaks the protocol on standard input and
/// output. Its own command line is another crate's.
pub fn main(variants: &[Variant]) -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == CELL) {
        return speak::speak(variants);
    }
    eprintln!(
        "error: this program was built to be measured: `cargo run -p` builds it with a command line"
    );
    ExitCode::from(2)
}
