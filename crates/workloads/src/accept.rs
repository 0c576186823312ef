//! What a server does when it cannot accept a connection.

use std::io;
use std::time::Duration;

/// How long a server pauses after it could not accept a connection: not at all when only this
/// connection was at fault, a moment when files or memory have run out, so as not to spin.
pub fn pause_after(error: &io::Error) -> Duration {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::Interrupted => Duration::ZERO,
        _ => Duration::from_millis(10),
    }
}
