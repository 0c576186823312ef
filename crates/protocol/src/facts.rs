//! Numbers about one run that are neither time nor answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Numbers about one run that are neither time nor answer; in JSON an object with their names.
pub type Facts = BTreeMap<Fact, u64>;

macro_rules! facts {
    ($($(#[doc = $meaning:literal])+ $fact:ident = $name:literal,)+) => {
        /// What a number about a run is, besides time and answer.
        ///
        /// Declared in the order of the names, which is also their order in JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Fact {
            $($(#[doc = $meaning])+ #[serde(rename = $name)] $fact,)+
        }

        impl Fact {
            /// All of them, in the order of their names.
            pub const ALL: &'static [Fact] = &[$(Fact::$fact),+];

            /// The name in messages, journals and exports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Fact::$fact => $name,)+
                }
            }
        }
    };
}

facts! {
    /// Time from the first turn of the active tasks of `idle` to the last, divided by the number of
    /// turns, nanoseconds.
    ActiveTurnNs = "active_turn_ns",
    /// Requests that waited for a connection when the last one of an open loop became due.
    Backlog = "backlog",
    /// Capacity that a search found, millionths of a request a second.
    CapacityMicroPerSecond = "capacity_micro_per_second",
    /// Capacity that a search found, whole requests a second.
    CapacityPerSecond = "capacity_per_second",
    /// What as many requests as in the window compute with exact shares of the classes, nanoseconds.
    DescribedCpuNs = "described_cpu_ns",
    /// CPU time of the load generator, nanoseconds.
    GeneratorCpuNs = "generator_cpu_ns",
    /// 99th percentile of the latency of the second class of requests, nanoseconds.
    HeavyP99Ns = "heavy_p99_ns",
    /// Slices for which the hogs of `fairness` computed.
    HogSlices = "hog_slices",
    /// Memory that one more parked task takes in the kernel, bytes.
    KernelBytesPerTask = "kernel_bytes_per_task",
    /// Operations that the run did, where its parameters do not say.
    Operations = "operations",
    /// Most records between two stages of `pipeline`.
    PeakDepth = "peak_depth",
    /// Most requests in handlers at once.
    PeakInFlight = "peak_in_flight",
    /// Requests that can be in handlers at once, by the strategy's own account.
    PredictedInFlight = "predicted_in_flight",
    /// How long all requests take with so many in handlers at once, nanoseconds.
    PredictedNs = "predicted_ns",
    /// Operations of `deadline` still running when the run returned.
    RunningAtReturn = "running_at_return",
    /// Windows that a search for the capacity took.
    SearchSteps = "search_steps",
    /// 99th percentile of how late requests left although a connection was free, nanoseconds.
    SendLagP99Ns = "send_lag_p99_ns",
    /// What the requests of the window compute as described, nanoseconds.
    SentCpuNs = "sent_cpu_ns",
    /// Time spent in the stage of `pipeline` that took longest, nanoseconds.
    SlowestStageNs = "slowest_stage_ns",
    /// Size of the state that a parked task of `idle` holds, bytes.
    StateBytes = "state_bytes",
    /// Operations of `deadline` still running some time after the run returned.
    StillRunning = "still_running",
    /// Mean time between two ticks of a ticker of `fairness`, nanoseconds.
    TypicalGapNs = "typical_gap_ns",
    /// Memory that one more parked task takes in the process, bytes.
    UserBytesPerTask = "user_bytes_per_task",
    /// Windows of this process that were void and driven again.
    VoidWindows = "void_windows",
    /// Longest time between two ticks of one ticker of `fairness`, nanoseconds.
    WorstGapNs = "worst_gap_ns",
}

impl Fact {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| fact.name() == name)
    }
}

/// Reads an object of facts, leaving out names that are not known here: a program in another
/// language, or another version of this one, may have facts of its own.
///
/// # Errors
/// If it is no object, or a value is not of the type.
pub fn known_facts<'de, T, D>(from: D) -> Result<BTreeMap<Fact, T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let named = BTreeMap::<String, T>::deserialize(from)?;
    Ok(named.into_iter().filter_map(|(name, value)| Some((Fact::named(&name)?, value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_in_the_order_of_their_names_in_code_and_in_json() {
        assert!(Fact::ALL.is_sorted_by_key(|fact| fact.name()));
        let all: Facts = Fact::ALL.iter().map(|&fact| (fact, 1)).collect();
        let names: Vec<_> = Fact::ALL.iter().map(|fact| format!("\"{}\":1", fact.name())).collect();
        assert_eq!(serde_json::to_string(&all).unwrap(), format!("{{{}}}", names.join(",")));
        assert!(Fact::ALL.iter().all(|fact| Fact::named(fact.name()) == Some(*fact)));
    }

    #[test]
    fn unknown_names_are_left_out_and_values_of_another_type_refused() {
        let read = |text: &str| {
            let facts = known_facts::<u64, _>(&mut serde_json::Deserializer::from_str(text));
            facts.map_err(|error| error.to_string())
        };
        let known = Facts::from([(Fact::PeakDepth, 3)]);
        assert_eq!(read(r#"{"peak_depth":3,"peak_debt":4}"#), Ok(known));
        assert!(read(r#"{"peak_debt":-4}"#).is_err());
    }
}
