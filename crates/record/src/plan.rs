//! `plan.json`: what a run will do, fixed before it starts.

use crate::models;
use std::time::Duration;

use judge::Design;
use protocol::{Digest, Failure, Placement, SamplingPlan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use workloads::{Amount, Limit, Metric, Profile};

use crate::decision::{DESCRIBED, LeftOut};
use crate::map::Map;
use crate::service::ServiceProfile;

/// `plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the file.
    pub schema: u32,
    /// How much to measure.
    pub profile: Profile,
    /// Whether the requests of `endpoints` take one second.
    pub faithful: bool,
    /// The seed of the order of visits.
    pub seed: u64,
    /// The most worker threads that a case gets.
    pub workers: usize,
    /// When cases are judged.
    pub design: Design,
    /// Milliseconds that measuring may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_ms: Option<u64>,
    /// Milliseconds after which a process is killed.
    pub time_limit_ms: u64,
    /// What is measured.
    pub cases: Vec<PlannedCase>,
    /// What takes part.
    pub entries: Vec<PlannedEntry>,
    /// The capacity from which rates follow, where any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// The service that is to be decided about, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceProfile>,
    /// What was to be measured of the service and does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Vec<LeftOut>>,
    /// The map that is to be drawn, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<Map>,
}

/// What the slowest contestant served in time before the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capacity {
    /// The entry's id.
    pub entry: String,
    /// Requests a second.
    pub per_second: f64,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To compare all models by the workloads.
    Comparison,
    /// To decide about a service.
    Decision,
    /// To see where one model takes over from another.
    Map,
}

impl Purpose {
    /// Whether the floor and entries that cannot win are left out.
    pub fn leaves_out_bystanders(self) -> bool {
        match self {
            Purpose::Comparison => false,
            Purpose::Decision | Purpose::Map => true,
        }
    }
}

/// A workload with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedCase {
    /// Unique in the run.
    pub id: String,
    /// Name of the workload.
    pub workload: String,
    /// Its parameters, with what was settled on this machine.
    pub params: Value,
    /// Worker threads granted.
    pub workers: usize,
    /// The id without the number of workers, where it is measured with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept: Option<String>,
    /// On which CPUs its processes run.
    #[serde(default, skip_serializing_if = "is_free")]
    pub placement: Placement,
    /// Operations of one run.
    pub operations: u64,
    /// What one run works through, where a rate of it tells something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What the entries are ordered by.
    pub metric: Metric,
    /// The physical bound.
    pub limit: Limit,
    /// How often it runs inside one process.
    pub sampling: SamplingPlan,
    /// Whether it is measured in the first round only.
    #[serde(default)]
    pub first_round: bool,
    /// Whether neither the floor nor an entry that cannot win is measured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contestants_only: bool,
    /// The right answer, from the oracle.
    pub expected: Digest,
    /// Why there is none, so that nothing can be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Failure>,
}

/// A strategy variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEntry {
    /// Unique in the run: the strategy's name, with the variant where it has several.
    pub id: String,
    /// The strategy's name.
    pub strategy: String,
    /// The variant's name.
    pub variant: String,
    /// BLAKE3 of the executable.
    pub program_blake3: String,
    /// The workloads that it has, where it has not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// Why it cannot win, where a profile file leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
}

impl PlannedEntry {
    /// Whether the entry has a form of the workload of this name.
    pub fn has(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == workload))
    }

    /// Whether the entry is measured in a case: it has the workload, and can win or is measured all the same.
    pub fn takes_part_in(&self, case: &PlannedCase) -> bool {
        let can_win = !models::is_bound(&self.strategy) && self.excluded.is_none();
        self.has(&case.workload) && (can_win || !case.contestants_only)
    }
}

fn is_free(placement: &Placement) -> bool {
    *placement == Placement::Free
}

impl Plan {
    /// Time after which a process is killed.
    pub fn time_limit(&self) -> Duration {
        Duration::from_millis(self.time_limit_ms)
    }

    /// Time that measuring may take; `None` for as long as its rounds take.
    pub fn budget(&self) -> Option<Duration> {
        self.budget_ms.map(Duration::from_millis)
    }

    /// What the run is for.
    pub fn purpose(&self) -> Purpose {
        match (&self.map, &self.service) {
            (Some(_), _) => Purpose::Map,
            (None, Some(_)) => Purpose::Decision,
            (None, None) => Purpose::Comparison,
        }
    }

    /// Whether all other cases wait until this one is decided.
    pub fn is_decisive(&self, case: &PlannedCase) -> bool {
        self.purpose() == Purpose::Decision && case.id == DESCRIBED
    }
}
