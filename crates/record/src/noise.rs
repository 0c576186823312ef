//! What disturbed a round.

use serde::{Deserialize, Serialize};

/// Time in which the CPU quota of a control group stopped what could run, as a share of what the quota gives.
pub const MAX_THROTTLED: f64 = 0.01;

/// What disturbed a round; a figure that the system does not give is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// CPU time of others, as a share of what all CPUs have.
    pub foreign: Option<f64>,
    /// CPU time that the hypervisor gave to others, as a share of what all CPUs have.
    pub steal: Option<f64>,
    /// Share of the time in which somebody waited for memory.
    pub memory_stall: Option<f64>,
    /// CPU time that the control groups of this process allow, in CPUs; missing where they have no quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<f64>,
    /// Time in which that quota stopped what could run, summed over CPUs, as a share of what it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<f64>,
    /// The slower canary of before and after, against the 10th percentile of the last ones.
    pub canary: f64,
    /// Whether the round was held to the level of a noisy host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noisy_host: bool,
}

impl Noise {
    /// Whether a CPU quota stopped more than a round may have.
    pub fn is_throttled(&self) -> bool {
        self.throttled.is_some_and(|throttled| throttled > MAX_THROTTLED)
    }
}
