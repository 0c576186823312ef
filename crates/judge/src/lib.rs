//! From observations to verdicts: pure functions, no clock, no files.
//!
//! An observation is one process reduced to one number. Entries are compared inside rounds, so that a
//! slow minute of the machine weighs on all of them alike; B consecutive rounds make a superblock:
//!
//! ```text
//! y[r,i]   = ln(value of entry i in round r)
//! a[s,i]   = Hodges–Lehmann over the rounds r of superblock s of y[r,i] − median over m of y[r,m]
//! θ[i,j]   = Hodges–Lehmann over s of a[s,i], less that of a[s,j]
//! v[i,j]   = variance over s of a[s,i] − a[s,j], with d = S − 1 degrees of freedom
//! s²[i,j]  = (d₀·s₀² + d·v[i,j]) / (d₀ + d): each pair's own noise, moderated by that of all pairs
//! h[i,j]   = t(1 − α / (2·L·C(k,2)); d₀ + d) · sqrt(s²[i,j] / S)
//! slower   : some j with θ[i,j] − h[i,j] > δ; the j with the largest bound proves it
//! best set : θ[i,j] + h[i,j] < δ for all j; several members are tied
//! best     : θ[i,j] + h[i,j] < 0 for all j, or all others are slower
//! ```
//!
//! d₀ and s₀² are fitted to the v of all pairs: where all are equally noisy they are pooled, where a few
//! are far noisier than the rest each pair stands for itself. The ratio of i to j is exp(θ), its
//! interval exp(θ ± h). There are L looks at the data, after fixed numbers of superblocks; α is divided
//! among them, so that all intervals of a case at all looks hold together with probability 1 − α. Who is
//! slower at a look leaves, and its verdict stays; the others go on until nobody is undecided.
//!
//! Sources: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963), for the estimate; Smyth,
//! Statistical Applications in Genetics and Molecular Biology 3 (2004), for the moderated variance;
//! Bonferroni's inequality for holding together (Miller, Simultaneous Statistical Inference, 1981), and
//! for looking several times (Pocock, Biometrika 64 (1977), has the problem and sharper answers).

mod design;
mod estimate;
mod figure;
mod judgement;
mod moderation;
mod series;
mod shift;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod twin;
mod value;
mod verdict;

pub use design::{ARCHITECTURE_MARGIN, Design, MARGIN};
pub use estimate::median;
pub use figure::Figure;
pub use judgement::Judgement;
pub use series::{ALPHA, Series};
pub use shift::Shift;
pub use twin::twin;
pub use value::{own_value, spread_around};
pub use verdict::{Verdict, on_a_noisy_host};
