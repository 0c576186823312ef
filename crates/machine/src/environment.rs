//! Environment variables that a runtime reads when it starts.

use std::io;

use crate::threads;

/// Sets an environment variable that a runtime reads when it starts.
///
/// # Errors
/// If the process has more than one thread: reading and writing the environment would then race.
pub fn set_env(key: &str, value: &str) -> io::Result<()> {
    if threads() != Some(1) {
        return Err(io::Error::other(format!("{key} must be set before any thread is started")));
    }
    #[expect(unsafe_code, reason = "no other thread exists that could read the environment")]
    unsafe {
        std::env::set_var(key, value);
    }
    Ok(())
}
