//! What a process measured, and what it used meanwhile.

use serde::{Deserialize, Serialize};

use crate::{Digest, Fact, Facts, How, known_facts};

/// What one process measured of a batch workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// In which form the strategy did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Wall times of the discarded runs, nanoseconds.
    pub warmup_ns: Vec<u64>,
    /// The timed runs.
    pub samples: Vec<Sample>,
    /// Most threads the process had at once, if the platform tells.
    pub peak_threads: Option<u64>,
    /// Distinct threads on which operations of one sample ran, at most.
    pub worker_threads: Option<u64>,
    /// Peak resident memory (VmHWM) in bytes, if the platform tells.
    pub peak_memory_bytes: Option<u64>,
    /// Latencies of single operations as (nanoseconds, count), three significant digits; empty where
    /// operations have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency_ns: Vec<(u64, u64)>,
}

/// One timed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Elapsed time in nanoseconds.
    pub wall_ns: u64,
    /// What the process used meanwhile, if the platform tells.
    pub usage: Option<Usage>,
    /// The answer.
    pub digest: Digest,
    /// Other numbers of this run.
    #[serde(default, skip_serializing_if = "Facts::is_empty", deserialize_with = "known_facts")]
    pub facts: Facts,
}

/// Resources used by a process, all threads together, ended ones too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// User CPU time in nanoseconds.
    pub user_ns: u64,
    /// System CPU time in nanoseconds.
    pub system_ns: u64,
    /// Context switches because a thread waited.
    pub voluntary_switches: u64,
    /// Context switches because a thread's time was up.
    pub involuntary_switches: u64,
}

impl Usage {
    /// What was used between `earlier` and this.
    pub fn since(&self, earlier: &Usage) -> Usage {
        Usage {
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            system_ns: self.system_ns.saturating_sub(earlier.system_ns),
            voluntary_switches: self.voluntary_switches.saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }

    /// User plus system CPU time in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        self.user_ns + self.system_ns
    }
}

/// A service's state at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What the process has used since it began, if the platform tells.
    pub usage: Option<Usage>,
    /// Threads it has now.
    pub threads: Option<u64>,
    /// Distinct threads on which operations ran since the last mark.
    pub worker_threads: Option<u64>,
    /// Peak resident memory (VmHWM) in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Other numbers noted since the last mark.
    #[serde(default, skip_serializing_if = "Facts::is_empty", deserialize_with = "known_facts")]
    pub facts: Facts,
}

/// What a load generator saw in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// From the first message sent to the last reply received, nanoseconds.
    pub wall_ns: u64,
    /// Digest over all replies.
    pub digest: Digest,
    /// Latencies as (nanoseconds, count).
    pub latency_ns: Vec<(u64, u64)>,
    /// The generator's own CPU time in nanoseconds, if the platform tells.
    pub generator_cpu_ns: Option<u64>,
    /// Other numbers of the window.
    #[serde(default, skip_serializing_if = "Facts::is_empty", deserialize_with = "known_facts")]
    pub facts: Facts,
}

impl Measured {
    /// The median over the samples of a fact, if all have it.
    pub fn fact(&self, fact: Fact) -> Option<u64> {
        let facts: Option<Vec<_>> =
            self.samples.iter().map(|sample| sample.facts.get(&fact).copied()).collect();
        let mut facts = facts?;
        facts.sort_unstable();
        facts.get(facts.len() / 2).copied()
    }

    /// Wall time of all runs, discarded ones included, in nanoseconds.
    pub fn measured_ns(&self) -> u64 {
        let samples = self.samples.iter().map(|sample| sample.wall_ns);
        self.warmup_ns.iter().copied().chain(samples).fold(0, u64::saturating_add)
    }
}
