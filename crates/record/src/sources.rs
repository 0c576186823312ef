//! `sources.json`: the code of the strategies as it was when they were built, so that a report shows what
//! was measured and not what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Files by strategy and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Version of the file.
    pub schema: u32,
    /// The text of each file, by strategy and name.
    pub strategies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Sources {
    /// The file in which a strategy does a workload.
    pub fn of_workload(&self, strategy: &str, workload: &str) -> Option<(&str, &str)> {
        let name = format!("{}.rs", workload.replace('-', "_"));
        let (name, text) = self.strategies.get(strategy)?.get_key_value(&name)?;
        Some((name, text))
    }
}
