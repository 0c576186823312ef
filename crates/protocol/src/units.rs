//! Numbers for people: three significant digits, or fewer where fewer are known, and the unit that suits
//! them.

use crate::Unit;

/// Digits of a number of which nothing else is known.
pub const DIGITS: usize = 3;

/// What a number counts, which decides its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Nanoseconds.
    Duration,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// How many times as much.
    Ratio,
    /// A part of a whole.
    Share,
    /// Anything else.
    Count,
}

impl Scale {
    /// Units with their sizes, the smallest first.
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Scale::Duration => &[(" ns", 1.0), (" µs", 1e3), (" ms", 1e6), (" s", 1e9)],
            Scale::Bytes => &[
                (" B", 1.0),
                (" KiB", 1024.0),
                (" MiB", 1024.0 * 1024.0),
                (" GiB", 1024.0 * 1024.0 * 1024.0),
            ],
            Scale::PerSecond => &[(" /s", 1.0), (" k/s", 1e3), (" M/s", 1e6), (" G/s", 1e9)],
            Scale::Ratio => &[("×", 1.0)],
            Scale::Share => &[(" %", 0.01)],
            Scale::Count => &[("", 1.0)],
        }
    }

    /// A value with this many significant digits, such as `51.3 ms`.
    pub fn show(self, value: f64, digits: usize) -> String {
        let (name, size) = unit(value, self.units());
        format!("{}{name}", significant(value / size, digits))
    }

    /// An estimate and the ends of its interval, rounded outward, in the same unit and to the same place as far as
    /// their sides of 1 allow, such as `51.3 ms [50.1, 52.4]`.
    pub fn show_interval(self, estimate: f64, (low, high): (f64, f64), digits: usize) -> String {
        let (name, size) = unit(estimate, self.units());
        let place = place(estimate / size, digits);
        let (low, high) = (end(low / size, place, f64::floor), end(high / size, place, f64::ceil));
        let estimate = estimate / size;
        let place = place_between(estimate, (low, high), place);
        let [estimate, low, high] =
            [(estimate, place), low, high].map(|(value, place)| at_place(value, place));
        format!("{estimate}{name} [{low}, {high}]")
    }
}

/// A time in nanoseconds, such as `51.3 ms`.
pub fn duration(ns: f64) -> String {
    Scale::Duration.show(ns, DIGITS)
}

/// A size in bytes, such as `3.21 MiB`.
pub fn bytes(count: f64) -> String {
    Scale::Bytes.show(count, DIGITS)
}

/// A rate per second, such as `212 k/s`.
pub fn per_second(rate: f64) -> String {
    Scale::PerSecond.show(rate, DIGITS)
}

/// What a thread works through in a second, such as `6.53 GB/s`.
pub fn throughput(per_second: f64, of: Unit) -> String {
    let units: &[_] = match of {
        Unit::Bytes => &[(" MB/s", 1e6), (" GB/s", 1e9)],
        Unit::Flop => &[(" MFLOP/s", 1e6), (" GFLOP/s", 1e9)],
        Unit::Items => &[(" k items/s", 1e3), (" M items/s", 1e6)],
    };
    let (name, size) = unit(per_second, units);
    format!("{}{name}", digits(per_second / size))
}

/// A ratio, such as `1.34×`.
pub fn ratio(ratio: f64) -> String {
    Scale::Ratio.show(ratio, DIGITS)
}

/// A share, such as `97.1 %`.
pub fn percent(share: f64) -> String {
    Scale::Share.show(share, DIGITS)
}

/// Three significant digits, but never fewer than all digits before the point.
pub fn digits(value: f64) -> String {
    significant(value, DIGITS)
}

/// The largest unit of which there is at least one.
fn unit<'a>(value: f64, units: &'a [(&'a str, f64)]) -> (&'a str, f64) {
    // 999.5 of one unit would be printed as 1000.
    *units.iter().rev().find(|(_, size)| value >= 0.9995 * size).unwrap_or(&units[0])
}

/// The power of ten of the last of so many significant digits: −2 for 1.34. Three digits are never fewer
/// than all before the point.
pub fn place(value: f64, digits: usize) -> i32 {
    let before = |value: f64| if value > 0.0 { value.log10().floor() as i32 + 1 } else { 1 };
    let digits = digits as i32;
    // Rounding may carry: 9.995 has one digit before the point and 10.0 has two.
    let place = before(value.abs()) - digits;
    let rounded = (value.abs() / 10f64.powi(place)).round() * 10f64.powi(place);
    let place = before(rounded * (1.0 + 1e-12)) - digits;
    if digits >= DIGITS as i32 { place.min(0) } else { place }
}

/// A whole number with its thousands apart, such as `100,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A value rounded at that power of ten.
pub fn rounded(value: f64, place: i32) -> f64 {
    // Dividing by a power of ten that is whole is exact where multiplying by its inverse is not.
    let size = 10f64.powi(place.abs());
    if place >= 0 { (value / size).round() * size } else { (value * size).round() / size }
}

/// Ratios on whose side an end of an interval stays: what is equal, and what is called a difference.
const SIDES: [f64; 2] = [1.0, 1.025];

/// The low end of an interval rounded down at that power of ten, and the high end rounded up, so that what the
/// interval holds stays in it. Either is rounded at a smaller power where it would leave its side of 1 or of 1.025.
pub fn rounded_outward((low, high): (f64, f64), place: i32) -> (f64, f64) {
    (end(low, place, f64::floor).0, end(high, place, f64::ceil).0)
}

/// An estimate rounded at that power of ten, or at a smaller one where it would leave the interval as that is rounded.
pub fn rounded_between(estimate: f64, (low, high): (f64, f64), place: i32) -> f64 {
    let ends = (end(low, place, f64::floor), end(high, place, f64::ceil));
    rounded(estimate, place_between(estimate, ends, place))
}

fn place_between(estimate: f64, (low, high): ((f64, i32), (f64, i32)), place: i32) -> i32 {
    match (low.0..=high.0).contains(&rounded(estimate, place)) {
        true => place,
        false => place.min(low.1).min(high.1),
    }
}

/// An end of an interval as it is rounded, and the power of ten of its last digit.
fn end(value: f64, place: i32, round: fn(f64) -> f64) -> (f64, i32) {
    let at = |place: i32| {
        let size = 10f64.powi(place.abs());
        let steps = if place >= 0 { value / size } else { value * size };
        // What is a whole number of steps but for the last bit stays as it is.
        let whole = steps.round();
        let steps =
            if (steps - whole).abs() < 1e-9 * whole.abs().max(1.0) { whole } else { round(steps) };
        if place >= 0 { steps * size } else { steps / size }
    };
    let stays = |place: &i32| {
        let rounded = at(*place);
        SIDES.iter().all(|side| rounded.total_cmp(side) == value.total_cmp(side))
    };
    let place = (place - 6..=place).rev().find(stays).unwrap_or(place);
    (at(place), place)
}

fn significant(value: f64, digits: usize) -> String {
    at_place(value, place(value, digits))
}

fn at_place(value: f64, place: i32) -> String {
    format!(
        "{:.*}",
        (-place).max(0) as usize,
        if place > 0 { rounded(value, place) } else { value }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_the_fitting_unit() {
        assert_eq!(duration(0.0), "0.00 ns");
        assert_eq!(duration(999.0), "999 ns");
        assert_eq!(duration(999.6), "1.00 µs");
        assert_eq!(duration(51_260_000.0), "51.3 ms");
        assert_eq!(duration(100e9), "100 s");
        assert_eq!(duration(12_345e9), "12345 s");
        assert_eq!(bytes(1024.0 * 1024.0), "1.00 MiB");
        assert_eq!(per_second(212_345.0), "212 k/s");
        assert_eq!(ratio(1.0), "1.00×");
        assert_eq!(ratio(11.26), "11.3×");
        assert_eq!(percent(0.971), "97.1 %");
        assert_eq!(throughput(6.53e9, Unit::Bytes), "6.53 GB/s");
        assert_eq!(throughput(83e9, Unit::Flop), "83.0 GFLOP/s");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn fewer_digits_where_fewer_are_known() {
        assert_eq!(Scale::Duration.show(51_260_000.0, 2), "51 ms");
        assert_eq!(Scale::Duration.show(456_000.0, 1), "500 µs");
        assert_eq!(Scale::Ratio.show(9.96, 2), "10×");
        assert_eq!(Scale::Ratio.show(0.0456, 2), "0.046×");
        assert_eq!(Scale::Ratio.show_interval(42.7, (29.6, 61.6), 2), "43× [29, 62]");
        assert_eq!(Scale::Ratio.show_interval(175.0, (101.0, 303.0), 2), "180× [100, 310]");
        assert_eq!(Scale::Ratio.show_interval(4.23, (1.0268, 17.5), 2), "4.2× [1.026, 17.5]");
        assert_eq!(Scale::Ratio.show_interval(1.0017, (1.0009, 1.01), 3), "1.0017× [1.0009, 1.01]");
        assert_eq!(Scale::Ratio.show_interval(0.9, (0.4, 0.996), 1), "0.9× [0.4, 0.996]");
        assert_eq!(Scale::Share.show_interval(0.971, (0.960, 0.982), 3), "97.1 % [96.0, 98.2]");
        assert_eq!(Scale::Duration.show_interval(1.2e6, (0.9e6, 1.5e6), 2), "1.2 ms [0.9, 1.5]");
    }
}
