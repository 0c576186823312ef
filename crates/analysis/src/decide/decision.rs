//! A decision with its evidence.

use judge::{Figure, Verdict};
use record::Change;
use serde::Serialize;

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// One option is clear of all others.
    Clear,
    /// Several tie, and the declared preferences choose.
    ByPreference,
    /// Several tie, and no preference was declared.
    Tied,
    /// The measurements do not tell.
    Undecided,
    /// No option is left.
    Nobody,
}

/// A decision with its evidence.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// What the service is called.
    pub service: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The entry that is chosen, if one is.
    pub chosen: Option<String>,
    /// Those that are best or tied; of an undecided one, those that may be.
    pub best: Vec<String>,
    /// The outcome in a sentence or two.
    pub summary: String,
    /// The measurement that would settle what is undecided.
    pub settles: Option<String>,
    /// What the service has to achieve, in words.
    pub drivers: Vec<String>,
    /// Every entry that could be chosen.
    pub options: Vec<DecisionOption>,
    /// What becomes of it when one thing changes.
    pub sensitivity: Vec<Sensitivity>,
    /// Defaults and timers that decide something here, each with the setting that changes it.
    pub reservations: Vec<String>,
}

/// One option.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionOption {
    /// The entry's id.
    pub entry: String,
    /// Why it cannot be chosen.
    pub excluded: Option<String>,
    /// Where it stands by what decides.
    pub verdict: Option<Verdict>,
    /// In words, as every format shows it.
    #[serde(skip)]
    pub ratio_in_words: String,
    /// By what decides.
    pub ratio: Option<Figure>,
    /// The leader, or the rival that proves that it is slower.
    pub ratio_to: Option<String>,
    /// Requests a second within the objective.
    pub capacity: Option<Figure>,
    /// Why no capacity is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_capacity: Option<String>,
    /// The 99th percentile of the latency at the described rate.
    pub p99_ns: Option<Figure>,
    /// CPU time of a request.
    pub cpu_ns_per_request: Option<Figure>,
    /// Peak resident memory of a process.
    pub peak_memory_bytes: Option<Figure>,
    /// Most threads of a process at once.
    pub peak_threads: Option<u64>,
}

impl Decision {
    /// What is known of an option.
    pub fn option(&self, entry: &str) -> Option<&DecisionOption> {
        self.options.iter().find(|option| option.entry == entry)
    }
}

/// What becomes of the decision when one thing changes.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sensitivity {
    /// What is changed.
    pub change: Change,
    /// What that does.
    pub effect: Effect,
    /// The effect in a sentence.
    pub sentence: String,
}

/// What a change does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// What was chosen is among the best still.
    Holds,
    /// It is slower beyond doubt.
    Flips,
    /// The measurements do not tell.
    Unknown,
    /// It cannot be changed, or nothing was measured.
    None,
}
