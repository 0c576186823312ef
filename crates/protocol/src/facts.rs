//! Numbers about one run that are neither time nor answer.

use std::collections::BTreeMap;

/// Numbers about one run that are neither time nor answer, by name.
pub type Facts = BTreeMap<String, u64>;
