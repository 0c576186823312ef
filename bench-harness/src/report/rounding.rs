//! The report as data: every number with no more digits than its interval supports. The text formats round the same
//! way where they print, and the journal keeps every digit.

use worker::units;

use super::model::{CaseReport, Numbers, Percentile, Price, Report};

/// Digits of a single observation: more than its interval would have, so that a narrow distribution keeps
/// its shape.
const OF_AN_OBSERVATION: usize = 4;

/// A report whose numbers end where what is known of them ends. Nothing is computed from it.
pub(super) fn rounded(report: &Report) -> Report {
    let mut report = report.clone();
    report.cases.iter_mut().for_each(of_case);
    let lines = report.curves.iter_mut().flat_map(|curves| &mut curves.lines);
    for point in lines.flat_map(|line| &mut line.points).flatten() {
        point.value = significant(point.value, OF_AN_OBSERVATION);
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
            *figure = figure.rounded();
        }
    }
    let marks = report.map.iter_mut().flat_map(|chart| &mut chart.points);
    for ratio in marks.flat_map(|mark| &mut mark.slower).filter_map(|slower| slower.ratio.as_mut())
    {
        *ratio = ratio.rounded();
    }
    report
}

fn of_case(case: &mut CaseReport) {
    if let Some(throughput) = &mut case.single_thread {
        throughput.per_second = significant(throughput.per_second, units::DIGITS);
    }
    for ratio in case.twins.iter_mut().filter_map(|twin| twin.ratio.as_mut()) {
        *ratio = ratio.rounded();
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
    for figure in [&mut *value, wall_ns, operations_per_second] {
        *figure = figure.rounded();
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
        *figure = figure.rounded();
    }
    for number in [user_ns, system_ns, generator_share, drift].into_iter().flatten() {
        *number = significant(*number, units::DIGITS);
    }
    for number in
        observations.iter_mut().chain(latencies.iter_mut().map(|Percentile { ns, .. }| ns))
    {
        *number = significant(*number, OF_AN_OBSERVATION);
    }
    for (_, value) in groups.iter_mut().flatten() {
        *value = significant(*value, units::DIGITS);
    }
    // A value lies among its observations, to the digits that these have.
    let ends = observations
        .iter()
        .copied()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), o| (least.min(o), most.max(o)));
    if ends.0 <= ends.1 {
        value.estimate = value.estimate.clamp(ends.0, ends.1);
        value.low = value.low.map(|low| low.min(value.estimate));
        value.high = value.high.map(|high| high.max(value.estimate));
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
