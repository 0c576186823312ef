//! What a user typed that cannot be done.

/// Something the user typed that cannot be done: one sentence that names the input
/// and what to do. Programs print it and exit with code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
