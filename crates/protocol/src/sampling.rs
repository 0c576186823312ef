//! How often a cell is run inside one process, and on which CPUs.

use serde::{Deserialize, Serialize};

/// How often a cell is run inside one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplingPlan {
    /// Runs whose times are discarded.
    pub warmup: u32,
    /// Timed runs at least.
    pub min_samples: u32,
    /// After these, more of them until so much time has been measured, in nanoseconds.
    pub budget_ns: u64,
}

impl SamplingPlan {
    /// Most samples of one process, so that a reply stays small.
    pub const MAX_SAMPLES: u32 = 1_000;

    /// Whether another sample is due after `done` that took `measured_ns` together.
    pub fn wants_more(&self, done: usize, measured_ns: u64) -> bool {
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        done < self.min_samples.max(1) || (measured_ns < self.budget_ns && done < Self::MAX_SAMPLES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_stops_at_the_budget_but_not_before_the_minimum() {
        let plan = SamplingPlan { warmup: 1, min_samples: 3, budget_ns: 100 };
        assert!(plan.wants_more(2, 500));
        assert!(!plan.wants_more(3, 500));
        assert!(plan.wants_more(10, 99));
        let at_least_one = SamplingPlan { warmup: 0, min_samples: 0, budget_ns: 0 };
        assert!(at_least_one.wants_more(0, 0));
    }
}

/// On which CPUs the processes of a visit run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Where the system places them.
    #[default]
    Free,
    /// Worker, load generator and backend with all their threads on the same CPU, so that no
    /// thread is woken across CPUs.
    OneCpu,
}
