//! A number with its interval, and how many of its digits mean something.

use serde::Serialize;
use worker::units::{self, Scale};

/// Intervals whose ends are farther apart than this say nothing but on which side of 1 they lie.
const WIDE: f64 = 10.0;
/// Significant digits of the ends of such an interval.
const END: usize = 2;

/// A number with its interval; none where there are too few rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Figure {
    pub(crate) estimate: f64,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl Figure {
    pub(crate) fn without_interval(estimate: f64) -> Self {
        Figure { estimate, low: None, high: None }
    }

    pub(crate) fn of_log(theta: f64, half: Option<f64>) -> Self {
        Figure {
            estimate: theta.exp(),
            low: half.map(|half| (theta - half).exp()),
            high: half.map(|half| (theta + half).exp()),
        }
    }

    /// One over it.
    pub(crate) fn inverse(self) -> Self {
        Figure {
            estimate: 1.0 / self.estimate,
            low: self.high.map(|high| 1.0 / high),
            high: self.low.map(|low| 1.0 / low),
        }
    }

    /// Scales estimate and interval by a positive factor.
    pub(crate) fn times(self, factor: f64) -> Self {
        Figure {
            estimate: self.estimate * factor,
            low: self.low.map(|low| low * factor),
            high: self.high.map(|high| high * factor),
        }
    }

    /// Its ratio to another that was not measured in the same rounds, whose errors are independent.
    pub(crate) fn over(self, other: Figure) -> Self {
        let half = |figure: Figure| figure.interval().map(|(low, high)| (high / low).ln() / 2.0);
        let half = half(self).zip(half(other)).map(|(one, other)| one.hypot(other));
        Figure::of_log((self.estimate / other.estimate).ln(), half)
    }

    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    fn is_wide(&self) -> bool {
        self.interval().is_some_and(|(low, high)| high > WIDE * low)
    }

    /// Significant digits that the interval supports: half its width has two (JCGM 100:2008, 7.2.6), and the
    /// number ends where they end. Three at most, and three where there is no interval.
    pub(crate) fn digits(&self) -> usize {
        let order = |value: f64| value.abs().log10().floor();
        match self.interval() {
            Some((low, high)) if high > low && self.estimate != 0.0 => {
                let digits = order(self.estimate) - order((high - low) / 2.0) + 2.0;
                digits.clamp(1.0, units::DIGITS as f64) as usize
            }
            _ => units::DIGITS,
        }
    }

    /// The same with no more digits than the interval supports.
    pub(crate) fn rounded(self) -> Self {
        let once = |figure: Figure| {
            let leading = figure.estimate.abs().log10().floor();
            if !leading.is_finite() {
                return figure;
            }
            let place = leading as i32 + 1 - figure.digits() as i32;
            let ends = figure.interval().map(|(low, high)| match figure.is_wide() {
                // The ends of a wide interval stand for themselves.
                true => (
                    units::rounded_outward((low, low), units::place(low, END)).0,
                    units::rounded_outward((high, high), units::place(high, END)).1,
                ),
                false => units::rounded_outward((low, high), place),
            });
            let estimate = match figure.interval().filter(|_| !figure.is_wide()) {
                Some(ends) => units::rounded_between(figure.estimate, ends, place),
                None => units::rounded(figure.estimate, place),
            };
            // Where all observations are the same the interval is a point, and stays one.
            let ends =
                ends.filter(|_| figure.low != figure.high).or(ends.map(|_| (estimate, estimate)));
            Figure { estimate, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high) }
        };
        // The first may widen the interval to the next power of ten.
        once(once(self))
    }

    /// The estimate alone, such as `51.3 ms`.
    pub(crate) fn shown(&self, scale: Scale) -> String {
        let rounded = self.rounded();
        scale.show(rounded.estimate, rounded.digits())
    }

    /// The low end of a ratio's interval as it is shown beside the estimate, such as `1.25×`.
    pub(crate) fn at_least(&self) -> Option<String> {
        Some(format!("{}×", self.rounded().low?))
    }

    /// With its interval, such as `1.34× [1.31, 1.37]`. Of a wide one only the side of 1 is shown on which a
    /// ratio lies, `7× [> 1.2]`, or `[?]` where it says nothing.
    pub(crate) fn shown_with_interval(&self, scale: Scale) -> String {
        let rounded = self.rounded();
        let estimate = scale.show(rounded.estimate, rounded.digits());
        match rounded.interval() {
            Some((low, high)) if low == high => estimate,
            Some((low, high)) if rounded.is_wide() => {
                // Rounded ends stand for themselves.
                match scale {
                    Scale::Ratio if low > 1.0 => format!("{estimate} [> {low}]"),
                    Scale::Ratio if high < 1.0 => format!("{estimate} [< {high}]"),
                    _ => format!("{estimate} [?]"),
                }
            }
            Some(interval) => scale.show_interval(rounded.estimate, interval, rounded.digits()),
            None => estimate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(estimate: f64, low: f64, high: f64) -> Figure {
        Figure { estimate, low: Some(low), high: Some(high) }
    }

    #[test]
    fn no_digit_is_shown_that_the_interval_does_not_support() {
        let ratio =
            |estimate, low, high| figure(estimate, low, high).shown_with_interval(Scale::Ratio);
        assert_eq!(ratio(1.342, 1.312, 1.371), "1.34× [1.31, 1.38]");
        assert_eq!(ratio(42.7, 29.6, 61.6), "43× [29, 62]");
        assert_eq!(ratio(175.4, 101.0, 303.0), "180× [100, 310]");
        assert_eq!(ratio(3.42, 0.8, 15.0), "3.4× [?]");
        assert_eq!(ratio(6.72, 1.23, 36.0), "7× [> 1.2]");
        let rounded = figure(6.72, 1.23, 36.0).rounded().shown_with_interval(Scale::Ratio);
        assert_eq!(rounded, "7× [> 1.2]");
        assert_eq!(ratio(0.1, 0.01, 0.83), "0.10× [< 0.83]");
        assert_eq!(ratio(1.0, 1.0, 1.0), "1.00×");
        assert_eq!(Figure::without_interval(9.876).shown_with_interval(Scale::Ratio), "9.88×");
    }

    #[test]
    fn the_errors_of_a_ratio_of_strangers_add_up() {
        let half = |half: f64| Figure::of_log(0.0, Some(half));
        let ratio = half(0.03).over(half(0.04));
        assert!((ratio.high.unwrap().ln() - 0.05).abs() < 1e-12);
        assert_eq!(half(0.03).over(Figure::without_interval(2.0)).interval(), None);
    }

    #[test]
    fn rounding_keeps_what_is_shown_and_rounding_twice_changes_nothing() {
        let mut state = 1_u64;
        for _ in 0..10_000 {
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            let estimate = 10f64.powf(12.0 * random() - 2.0);
            let half = random().powi(3);
            let figure = Figure::of_log(estimate.ln(), Some(half));
            let rounded = figure.rounded();
            assert_eq!(rounded.rounded(), rounded, "{figure:?}");
            let error = (rounded.estimate - figure.estimate).abs();
            let width = figure.high.unwrap() - figure.low.unwrap();
            assert!(error <= 0.05 * width.max(0.1 * figure.estimate), "{figure:?} {rounded:?}");
        }
    }
}
