//! How many digits of a figure mean something, and the figure in them.

use judge::Figure;
use protocol::units::{self, Scale};

/// Intervals whose ends are farther apart than this say nothing but on which side of 1 they lie.
const WIDE: f64 = 10.0;
/// Significant digits of the ends of such an interval.
const END: usize = 2;

/// Figures for people.
pub trait Shown: Sized {
    /// Significant digits that the interval supports: half its width has two (JCGM 100:2008, 7.2.6), and the
    /// number ends where they end. Three at most, and three where there is no interval.
    fn digits(&self) -> usize;

    /// The same with no more digits than the interval supports.
    fn rounded(self) -> Self;

    /// The estimate alone, such as `51.3 ms`.
    fn shown(&self, scale: Scale) -> String;

    /// The low end of a ratio's interval as it is shown beside the estimate, such as `1.25×`.
    fn at_least(&self) -> Option<String>;

    /// With its interval, such as `1.34× [1.31, 1.37]`. Of a wide one only the side of 1 is shown on which a
    /// ratio lies, `7× [> 1.2]`, or `[?]` where it says nothing.
    fn shown_with_interval(&self, scale: Scale) -> String;
}

fn is_wide(figure: &Figure) -> bool {
    figure.interval().is_some_and(|(low, high)| high > WIDE * low)
}

impl Shown for Figure {
    fn digits(&self) -> usize {
        let order = |value: f64| value.abs().log10().floor();
        match self.interval() {
            Some((low, high)) if high > low && self.estimate != 0.0 => {
                let digits = order(self.estimate) - order((high - low) / 2.0) + 2.0;
                digits.clamp(1.0, units::DIGITS as f64) as usize
            }
            _ => units::DIGITS,
        }
    }

    fn rounded(self) -> Self {
        let once = |figure: Figure| {
            let leading = figure.estimate.abs().log10().floor();
            if !leading.is_finite() {
                return figure;
            }
            let place = leading as i32 + 1 - figure.digits() as i32;
            let ends = figure.interval().map(|(low, high)| match is_wide(&figure) {
                // The ends of a wide interval stand for themselves.
                true => (
                    units::rounded_outward((low, low), units::place(low, END)).0,
                    units::rounded_outward((high, high), units::place(high, END)).1,
                ),
                false => units::rounded_outward((low, high), place),
            });
            let estimate = match figure.interval().filter(|_| !is_wide(&figure)) {
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

    fn shown(&self, scale: Scale) -> String {
        let rounded = self.rounded();
        scale.show(rounded.estimate, rounded.digits())
    }

    fn at_least(&self) -> Option<String> {
        Some(format!("{}×", self.rounded().low?))
    }

    fn shown_with_interval(&self, scale: Scale) -> String {
        let rounded = self.rounded();
        let estimate = scale.show(rounded.estimate, rounded.digits());
        match rounded.interval() {
            Some((low, high)) if low == high => estimate,
            Some((low, high)) if is_wide(&rounded) => {
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
