//! What Ctrl-C does to a command.

use anyhow::Context;
use launch::interrupt;

use crate::progress::Teller;

/// What is said where nothing is lost by an interruption.
pub(crate) const BEFORE_MEASURING: &str = "interrupted before anything was measured\n";

/// On the first Ctrl-C, kills what is running, so that the journal ends with a whole line; on the second,
/// ends at once.
///
/// # Errors
/// If the system does not let it watch.
pub(crate) fn stop_on_interrupt() -> anyhow::Result<()> {
    interrupt::stop_on_interrupt().context("cannot watch for Ctrl-C")
}

/// The outcome of what was not interrupted. What was has none, and a failure is only the echo of the Ctrl-C: tells
/// `said` instead.
///
/// # Errors
/// That of the outcome.
pub(crate) fn unless_interrupted<T>(
    outcome: anyhow::Result<T>,
    teller: Teller,
    said: &str,
) -> anyhow::Result<Option<T>> {
    if launch::stopped() {
        teller.insist(said);
        return Ok(None);
    }
    outcome.map(Some)
}
