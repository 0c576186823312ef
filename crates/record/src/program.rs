//! What is known of the programs that a run measures, and of how they were made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What could be read of an executable; what it does not tell is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Executable {
    /// The processor that it is for, such as `x86_64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The compiler that wrote its name into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// `glibc` or `musl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_library: Option<String>,
    /// Whether every kernel starts on a cache line. Not known where the names of functions were stripped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aligned: Option<bool>,
}

/// What decides the code of the strategies besides their sources, their crates and the compiler.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Build {
    /// The target triple.
    pub target: String,
    /// Every flag that cargo hands to the compiler, wherever it was set.
    pub rustflags: Vec<String>,
    /// The keys of the release profile that are set in `Cargo.toml`, cargo's configuration or the environment.
    pub profile: BTreeMap<String, String>,
}

/// Whether the run has built its programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// From the workspace whose revision and crates are on record.
    Built(Build),
    /// They came with `--bin-dir`: nothing is known of their sources.
    ReadyBuilt,
}

impl Origin {
    /// How the programs were built, where the run built them.
    pub fn build(&self) -> Option<&Build> {
        match self {
            Origin::Built(build) => Some(build),
            Origin::ReadyBuilt => None,
        }
    }
}

impl Build {
    /// The keys of the profile, such as `codegen-units=1 lto=thin`.
    pub fn profile_text(&self) -> String {
        let keys: Vec<_> =
            self.profile.iter().map(|(key, value)| format!("{key}={value}")).collect();
        keys.join(" ")
    }
}
