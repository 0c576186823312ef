//! What can be said of an entry.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// What counts as slower by far on a noisy host.
const NOISY_MARGIN: f64 = 1.25;

/// What can be said of an entry among the contestants of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Faster than every other beyond doubt.
    Best,
    /// No more than the margin slower than any other, like at least one more.
    Tied,
    /// More than the margin slower than some other.
    Slower,
    /// Neither can be said with this many rounds.
    Undecided,
    /// There is nobody to compare it with.
    Alone,
}

impl Verdict {
    /// The verdict in a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Best => "best",
            Verdict::Tied => "tied",
            Verdict::Slower => "slower",
            Verdict::Undecided => "undecided",
            Verdict::Alone => "alone",
        }
    }
}

/// What a verdict is worth where others used the machine all the time: they take CPUs from some models more
/// than from others, so that only what is slower by far stays said. The ratio is to the entry that proves it.
pub fn on_a_noisy_host(verdict: Verdict, ratio: Option<Figure>) -> Verdict {
    let far = ratio.is_some_and(|ratio| ratio.low.is_some_and(|low| low > NOISY_MARGIN));
    match verdict {
        Verdict::Alone => Verdict::Alone,
        Verdict::Slower if far => Verdict::Slower,
        _ => Verdict::Undecided,
    }
}
