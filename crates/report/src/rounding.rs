//! The report as data: every number in four digits. The text formats show no more than its interval supports, three
//! at most, and the journal keeps every digit.

use protocol::units;

use analysis::Report;
use analysis::case::{CaseReport, Numbers, Percentile, Price};
use judge::Figure;

/// Digits of a number: one more than the text formats have at most, so that what is among others there is so here.
const DIGITS: usize = 4;

/// A report whose numbers have so many digits. Nothing is computed from it.
pub(crate) fn rounded(report: &Report) -> Report {
    let mut report = report.clone();
    report.cases.iter_mut().for_each(of_case);
    let lines = report.curves.iter_mut().flat_map(|curves| &mut curves.lines);
    for point in lines.flat_map(|line| &mut line.points).flatten() {
        point.value = significant(point.value, DIGITS);
    }
    for option in report.decision.iter_mut().flat_map(|decision| &mut decision.options) {
        let figures = [
            &mut option.ratio,
            &mut option.capacity,
            &mut option.p99_ns,
            &mut option.cpu_ns_per_request,
            &mut option.peak_memory_bytes,
        ];
        for figure in figures.into_iter().flatten() {
            *figure = data(*figure);
        }
    }
    let marks = report.map.iter_mut().flat_map(|chart| &mut chart.points);
    for ratio in marks.flat_map(|mark| &mut mark.slower).filter_map(|slower| slower.ratio.as_mut())
    {
        *ratio = data(*ratio);
    }
    report
}

fn of_case(case: &mut CaseReport) {
    if let Some(throughput) = &mut case.single_thread {
        throughput.per_second = significant(throughput.per_second, units::DIGITS);
    }
    for ratio in case.twins.iter_mut().filter_map(|twin| twin.ratio.as_mut()) {
        *ratio = data(*ratio);
    }
    case.rows.iter_mut().filter_map(|row| row.numbers.as_mut()).for_each(of_row);
}

fn of_row(numbers: &mut Numbers) {
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
        peak_memory_bytes,
        latency_p50_ns,
        latency_p99_ns,
        latencies,
        generator_share,
        drift,
        groups,
        price,
        basis,
        ..
    } = numbers;
    for figure in [value, wall_ns, operations_per_second] {
        *figure = data(*figure);
    }
    let optional = [
        ratio,
        limit_share,
        cpu_ns_per_operation,
        cpu_ratio,
        switches_per_operation,
        peak_memory_bytes,
        latency_p50_ns,
        latency_p99_ns,
    ];
    for figure in optional.into_iter().flatten() {
        *figure = data(*figure);
    }
    for number in [user_ns, system_ns, generator_share, drift].into_iter().flatten() {
        *number = significant(*number, units::DIGITS);
    }
    for number in
        observations.iter_mut().chain(latencies.iter_mut().map(|Percentile { ns, .. }| ns))
    {
        *number = significant(*number, DIGITS);
    }
    for (_, value) in groups.iter_mut().flatten() {
        *value = significant(*value, units::DIGITS);
    }
    if let Some(needs) = basis.as_mut().and_then(|basis| basis.needs.as_mut()) {
        *needs = needs.ceil();
    }
    if let Some(Price { ratio: Some(ratio), .. }) = price {
        *ratio = data(*ratio);
    }
}

/// A figure in so many digits, its ends rounded outward and never onto or across 1 or 1.025.
pub(crate) fn data(figure: Figure) -> Figure {
    let outward = |end: f64| match end == 0.0 || !end.is_finite() {
        true => (end, end),
        false => units::rounded_outward((end, end), place(end, DIGITS)),
    };
    let estimate = significant(figure.estimate, DIGITS);
    // Where all observations are the same the interval is a point, and stays one.
    if figure.low == figure.high {
        return Figure {
            estimate,
            low: figure.low.map(|_| estimate),
            high: figure.high.map(|_| estimate),
        };
    }
    Figure {
        estimate,
        low: figure.low.map(|low| outward(low).0),
        high: figure.high.map(|high| outward(high).1),
    }
}

/// The power of ten of the last of so many significant digits.
fn place(value: f64, digits: usize) -> i32 {
    value.abs().log10().floor() as i32 + 1 - digits as i32
}

/// A number rounded to so many significant digits.
pub(crate) fn significant(value: f64, digits: usize) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    units::rounded(value, place(value, digits))
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

    #[test]
    fn ends_go_outward_and_stay_on_their_side() {
        let figure = Figure { estimate: 1.041_26, low: Some(1.025_03), high: Some(1.057_81) };
        let rounded = Figure { estimate: 1.041, low: Some(1.025_03), high: Some(1.058) };
        assert_eq!(data(figure), rounded);
        assert_eq!(data(rounded), rounded);
    }
}
