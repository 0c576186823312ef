//! Numbers for people: three significant digits and the unit that suits them.

use workloads::Unit;

/// A time in nanoseconds, such as `51.3 ms`.
pub fn duration(ns: f64) -> String {
    scaled(ns, &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)])
}

/// A size in bytes, such as `3.21 MiB`.
pub fn bytes(count: f64) -> String {
    scaled(
        count,
        &[("B", 1.0), ("KiB", 1024.0), ("MiB", 1024.0 * 1024.0), ("GiB", 1024.0 * 1024.0 * 1024.0)],
    )
}

/// A rate per second, such as `212 k/s`.
pub fn per_second(rate: f64) -> String {
    scaled(rate, &[("/s", 1.0), ("k/s", 1e3), ("M/s", 1e6), ("G/s", 1e9)])
}

/// What a thread works through in a second, such as `6.53 GB/s`.
pub fn throughput(per_second: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => scaled(per_second, &[("MB/s", 1e6), ("GB/s", 1e9)]),
        Unit::Flop => scaled(per_second, &[("MFLOP/s", 1e6), ("GFLOP/s", 1e9)]),
        Unit::Items => scaled(per_second, &[("k items/s", 1e3), ("M items/s", 1e6)]),
    }
}

/// A ratio, such as `1.34×`.
pub fn ratio(ratio: f64) -> String {
    format!("{}×", digits(ratio))
}

/// A share, such as `97.1 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0))
}

fn scaled(value: f64, units: &[(&str, f64)]) -> String {
    // 999.5 of one unit would be printed as 1000.
    let unit = units.iter().rev().find(|(_, size)| value >= 0.9995 * size).unwrap_or(&units[0]);
    format!("{} {}", digits(value / unit.1), unit.0)
}

/// Three significant digits, but never fewer than all digits before the point.
pub fn digits(value: f64) -> String {
    let before = if value.abs() < 9.995 {
        1
    } else if value.abs() < 99.95 {
        2
    } else {
        3
    };
    format!("{value:.*}", 3 - before)
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
}
