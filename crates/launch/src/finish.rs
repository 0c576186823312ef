//! How a program ends: its errors in one sentence, its exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use workloads::UsageError;

/// Prints an error once, as one chain, and maps the outcome of a program to its exit code: 2 for a
/// [`UsageError`], 1 for any other error, 0 where whoever read the output has seen enough.
pub fn finish(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    match outcome {
        Ok(code) => code,
        Err(error) if error.chain().filter_map(|cause| cause.downcast_ref()).any(closed) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Where standard error is closed too, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}
