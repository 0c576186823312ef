//! Why a cell has no time.

use serde::{Deserialize, Serialize};

/// Why a cell has no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind.
    pub failure: FailureKind,
    /// One sentence.
    pub reason: String,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(failure: FailureKind, reason: impl Into<String>) -> Self {
        Failure { failure, reason: reason.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::Unsupported => FailureKind::Unsupported,
            _ => FailureKind::Crashed,
        };
        Failure::new(kind, error.to_string())
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It did not answer within its time limit.
    Timeout,
    /// It ended early, broke the protocol, or reported an error.
    Crashed,
    /// It answered, and the answer was wrong.
    WrongAnswer,
    /// The model has no honest form of this workload, or the machine cannot give what it needs.
    Unsupported,
    /// The load generator could not keep its schedule, so that nothing was measured.
    Void,
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            FailureKind::Timeout => "timeout",
            FailureKind::Crashed => "crashed",
            FailureKind::WrongAnswer => "wrong-answer",
            FailureKind::Unsupported => "unsupported",
            FailureKind::Void => "void",
        })
    }
}
