//! A value by its own observations.

use crate::estimate::{Spread, median};
use crate::figure::Figure;
use crate::series::ALPHA;

/// An entry's value by its own observations: their median, with the interval that their scatter gives it, for
/// which three are needed. NaN for none. A value of 0 has no logarithm and gives no interval.
pub fn own_value(observations: &[f64]) -> Figure {
    spread_around(median(&mut observations.to_vec()), observations)
}

/// An estimate with the interval that the scatter of some positive values gives it, for which three are needed.
pub fn spread_around(estimate: f64, values: &[f64]) -> Figure {
    if estimate.is_nan() || values.iter().any(|&value| value <= 0.0) {
        return Figure::without_interval(estimate);
    }
    let logs: Vec<_> = values.iter().map(|value| value.ln()).collect();
    let half = Spread::of_values(&logs, ALPHA).map(|spread| spread.half);
    let end = |sign: f64| half.map(|half| estimate * (sign * half).exp());
    Figure { estimate, low: end(-1.0), high: end(1.0) }
}
