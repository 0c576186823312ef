//! What is counted in a rate.

use serde::{Deserialize, Serialize};

/// What is counted in a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes read.
    Bytes,
    /// Floating-point operations.
    Flop,
    /// Items, such as keys.
    Items,
}
