//! All formats show the same digits: a number is rounded once, before any of them sees it. What was measured
//! is in the journal, with every digit.

use worker::units;

use super::model::{Numbers, Price};

/// Digits of a single observation: more than its interval would have, so that a narrow distribution keeps
/// its shape.
const OF_AN_OBSERVATION: usize = 4;

/// Rounds each number to the digits that its interval supports, or to three where it has none.
pub(super) fn round(numbers: &mut Numbers) {
    let Numbers {
        value,
        observations,
        ratio,
        limit_share,
        wall_ns,
        user_ns,
        system_ns,
        operations_per_second,
        cpu_ns_per_operation,
        cpu_ratio,
        switches_per_operation,
        generator_share,
        drift,
        groups,
        price,
        basis,
        ..
    } = numbers;
    for figure in [value, wall_ns, operations_per_second] {
        *figure = figure.rounded();
    }
    let optional = [ratio, limit_share, cpu_ns_per_operation, cpu_ratio, switches_per_operation];
    for figure in optional.into_iter().flatten() {
        *figure = figure.rounded();
    }
    for number in [user_ns, system_ns, generator_share, drift].into_iter().flatten() {
        *number = significant(*number, units::DIGITS);
    }
    for observation in observations {
        *observation = significant(*observation, OF_AN_OBSERVATION);
    }
    for (_, value) in groups.iter_mut().flatten() {
        *value = significant(*value, units::DIGITS);
    }
    if let Some(needs) = basis.as_mut().and_then(|basis| basis.needs.as_mut()) {
        *needs = needs.ceil();
    }
    if let Some(Price { ratio: Some(ratio), .. }) = price {
        *ratio = ratio.rounded();
    }
}

/// A number rounded to so many significant digits.
pub(super) fn significant(value: f64, digits: usize) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let leading = value.abs().log10().floor() as i32;
    units::rounded(value, leading + 1 - digits as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_are_counted_from_the_first() {
        assert_eq!(significant(123_456.0, 3), 123_000.0);
        assert_eq!(significant(0.001_234_5, 3), 0.001_23);
        assert_eq!(significant(9.996, 3), 10.0);
        assert_eq!(significant(0.0, 3), 0.0);
    }
}
