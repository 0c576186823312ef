//! A number with its interval.

use serde::Serialize;

/// A number with its interval; none where there are too few rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figure {
    /// The number.
    pub estimate: f64,
    /// The low end of its interval.
    pub low: Option<f64>,
    /// The high end of its interval.
    pub high: Option<f64>,
}

impl Figure {
    /// A number of which nothing else is known.
    pub fn without_interval(estimate: f64) -> Self {
        Figure { estimate, low: None, high: None }
    }

    /// From an estimate of the logarithm and half the width of its interval.
    pub fn of_log(theta: f64, half: Option<f64>) -> Self {
        Figure {
            estimate: theta.exp(),
            low: half.map(|half| (theta - half).exp()),
            high: half.map(|half| (theta + half).exp()),
        }
    }

    /// One over it.
    pub fn inverse(self) -> Self {
        Figure {
            estimate: 1.0 / self.estimate,
            low: self.high.map(|high| 1.0 / high),
            high: self.low.map(|low| 1.0 / low),
        }
    }

    /// Scales estimate and interval by a positive factor.
    pub fn times(self, factor: f64) -> Self {
        Figure {
            estimate: self.estimate * factor,
            low: self.low.map(|low| low * factor),
            high: self.high.map(|high| high * factor),
        }
    }

    /// Its ratio to another that was not measured in the same rounds, whose errors are independent.
    pub fn over(self, other: Figure) -> Self {
        let half = |figure: Figure| figure.interval().map(|(low, high)| (high / low).ln() / 2.0);
        let half = half(self).zip(half(other)).map(|(one, other)| one.hypot(other));
        Figure::of_log((self.estimate / other.estimate).ln(), half)
    }

    /// Both ends, if there are any.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_a_ratio_of_strangers_add_up() {
        let half = |half: f64| Figure::of_log(0.0, Some(half));
        let ratio = half(0.03).over(half(0.04));
        assert!((ratio.high.unwrap().ln() - 0.05).abs() < 1e-12);
        assert_eq!(half(0.03).over(Figure::without_interval(2.0)).interval(), None);
    }
}
