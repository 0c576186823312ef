//! When a case is judged, and what difference matters.

use serde::{Deserialize, Serialize};

/// Ratio up to which a difference does not matter, unless a design has another.
pub const MARGIN: f64 = 1.025;

/// Ratio up to which a difference decides nothing about the architecture of a service.
pub const ARCHITECTURE_MARGIN: f64 = 1.1;

/// When a case is judged: fixed before the first measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Design {
    /// Consecutive rounds that make one superblock.
    pub block: usize,
    /// Numbers of superblocks after which is looked, going up.
    pub looks: Vec<usize>,
    /// Ratio up to which a difference does not matter.
    #[serde(default = "usual_margin")]
    pub margin: f64,
}

fn usual_margin() -> f64 {
    MARGIN
}

impl Design {
    /// The looks of a few minutes.
    pub fn quick() -> Self {
        Design::new(1, &[3, 5, 8])
    }

    /// The looks of a quarter of an hour.
    pub fn standard() -> Self {
        Design::new(1, &[4, 6, 9, 14, 20])
    }

    /// The looks of a night. Rounds that follow each other make one observation, because they remember each other.
    pub fn thorough() -> Self {
        Design::new(6, &[4, 6, 9, 14, 20])
    }

    /// With another margin.
    #[must_use]
    pub fn with_margin(self, margin: f64) -> Self {
        Design { margin, ..self }
    }

    /// Looks after so many superblocks of so many rounds, with the usual margin.
    pub fn new(block: usize, looks: &[usize]) -> Self {
        Design { block, looks: looks.to_vec(), margin: MARGIN }
    }

    /// A single look after so many rounds, at which everybody is still there.
    pub fn once(rounds: usize) -> Self {
        Design::new(1, &[rounds])
    }

    /// A single look after so many observations that several runs of this design made.
    pub fn pooled(&self, observations: usize) -> Self {
        Design { margin: self.margin, ..Design::once(observations) }
    }

    /// The margin as the logarithm that judging compares with.
    pub(crate) fn delta(&self) -> f64 {
        self.margin.ln()
    }

    /// Rounds after which there is no more look.
    pub fn most_rounds(&self) -> usize {
        self.block * self.looks.last().copied().unwrap_or(0)
    }

    /// Rounds of the first look.
    pub fn first_look(&self) -> usize {
        self.block * self.looks.first().copied().unwrap_or(0)
    }
}
