//! By how much two samples that were not measured together differ.

use crate::estimate::{MIN_BLOCKS, quantile};
use crate::figure::Figure;
use crate::series::ALPHA;

/// Share of the values that is cut off at either end: a single odd process does not decide.
const TRIM: f64 = 0.2;

/// What is added to a variance, so that values that are all the same have an interval.
const LEAST: f64 = 1e-16;

/// The difference of the trimmed means of two samples of logarithms, with the interval that belongs to it: its
/// variance is the Winsorised one of the same values (Yuen, Biometrika 61 (1974)). Nothing is cut off samples of
/// less than five, for which this is Welch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    theta: f64,
    half: Option<f64>,
}

impl Shift {
    /// From `before` to `after`, one of `tests` that hold together; `None` where one of them is empty.
    pub fn between(before: &[f64], after: &[f64], tests: usize) -> Option<Self> {
        let (one, other) = (Trimmed::of(before)?, Trimmed::of(after)?);
        let half = (before.len().min(after.len()) >= MIN_BLOCKS).then(|| {
            let (a, b) = (one.variance.max(LEAST), other.variance.max(LEAST));
            let freedom = (a + b).powi(2) / (a * a / one.freedom + b * b / other.freedom);
            quantile(freedom, ALPHA / tests as f64) * (a + b).sqrt()
        });
        Some(Shift { theta: other.mean - one.mean, half })
    }

    /// Whether it is more than this, beyond doubt.
    pub fn is_above(self, bound: f64) -> bool {
        self.half.is_some_and(|half| self.theta - half > bound)
    }

    /// Whether it is less than this, beyond doubt.
    pub fn is_below(self, bound: f64) -> bool {
        self.half.is_some_and(|half| self.theta + half < bound)
    }

    /// As a ratio.
    pub fn figure(self) -> Figure {
        Figure::of_log(self.theta, self.half)
    }
}

/// A trimmed mean, and how well it is known.
struct Trimmed {
    mean: f64,
    variance: f64,
    freedom: f64,
}

impl Trimmed {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(|a, b| a.total_cmp(b));
        let cut = (TRIM * sorted.len() as f64).floor() as usize;
        let kept = sorted.get(cut..sorted.len() - cut).filter(|kept| !kept.is_empty())?;
        let (low, high) = (kept[0], kept[kept.len() - 1]);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let winsorised: Vec<_> = sorted.iter().map(|value| value.clamp(low, high)).collect();
        let centre = mean(&winsorised);
        let squares: f64 = winsorised.iter().map(|value| (value - centre).powi(2)).sum();
        let kept_count = kept.len() as f64;
        let freedom = kept_count - 1.0;
        Some(Trimmed { mean: mean(kept), variance: squares / (kept_count * freedom), freedom })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn small_samples_are_welchs() {
        // Variances 0.01 and 0.04 over three: 0.01667; Welch's degrees of freedom are 2.941, and
        // t(0.975, 2.941) is 3.218.
        let shift = Shift::between(&[0.1, 0.2, 0.3], &[0.2, 0.4, 0.6], 1).unwrap();
        assert!((shift.theta - 0.2).abs() < 1e-12);
        assert!((shift.half.unwrap() - 0.4155).abs() < 1e-3, "{shift:?}");
        assert_eq!(Shift::between(&[0.1, 0.2], &[0.2, 0.4, 0.6], 1).unwrap().half, None);
        assert_eq!(Shift::between(&[], &[0.2], 1), None);
    }

    #[test]
    fn one_odd_value_of_five_moves_neither_estimate_nor_interval() {
        // Of 0, 1, 2, 3, 4 the middle three have the mean 2; Winsorised 1, 1, 2, 3, 3 has the sum of squares 4,
        // which over 3 · 2 is 0.6667. Both alike: 4 degrees of freedom, t(0.975, 4) = 2.776, times
        // sqrt(1.3333).
        let plain = [0.0, 1.0, 2.0, 3.0, 4.0];
        let odd = [0.0, 1.0, 2.0, 3.0, 1e6];
        let shift = Shift::between(&plain, &odd, 1).unwrap();
        assert_eq!(shift.theta, 0.0);
        assert!((shift.half.unwrap() - 3.206).abs() < 1e-3, "{shift:?}");
    }

    /// Eight values whose logarithms scatter by 2 %, one in ten of them by ten times as much.
    fn scattered(random: &mut Xoshiro256PlusPlus, centre: f64) -> Vec<f64> {
        let mut one = || {
            let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
            let wide = if random.random::<f64>() < 0.1 { 10.0 } else { 1.0 };
            centre + 0.02 * wide * (sum - 6.0)
        };
        (0..8).map(|_| one()).collect()
    }

    #[test]
    fn intervals_cover_the_true_shift_of_heavy_tails() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let trials = 4_000;
        let covered = (0..trials).filter(|_| {
            let (before, after) = (scattered(&mut random, 0.0), scattered(&mut random, 0.1));
            let shift = Shift::between(&before, &after, 1).unwrap();
            !shift.is_above(0.1) && !shift.is_below(0.1)
        });
        let share = covered.count() as f64 / f64::from(trials);
        assert!(share > 0.94, "{share}");
    }
}
