//! What a strategy by itself prints: a row for each case as soon as it is measured, in 80 columns.

use std::io::{self, Write};

use workloads::{Case, Metric};

use protocol::{Fact, Failure, Measured, median};
use protocol::{Standing, units};
use workloads::observation;

const HEADER: [&str; 6] = ["by its metric", "per second", "CPU/op", "threads", "workers", "memory"];
/// Columns of the name of a case.
const NAME: usize = 19;
/// Columns of each cell; there is a space before each.
const CELLS: [usize; 6] = [15, 9, 8, 7, 7, 8];

/// The line above the rows.
pub(crate) fn header(out: &mut impl Write) -> io::Result<()> {
    line(out, "case", &HEADER.map(str::to_owned), "")
}

/// One case: its medians, or the kind of its failure.
pub(crate) fn row(
    out: &mut impl Write,
    case: &Case,
    outcome: &Result<Measured, Failure>,
) -> io::Result<()> {
    match outcome {
        Ok(measured) => line(out, &case.id, &cells(case, measured), remark(measured)),
        Err(Failure { failure, .. }) => line(out, &case.id, &[failure.to_string()], ""),
    }
}

fn line(out: &mut impl Write, name: &str, cells: &[String], remark: &str) -> io::Result<()> {
    let mut text = format!("{name:NAME$}");
    for (cell, width) in cells.iter().zip(CELLS) {
        text.push_str(&format!(" {cell:>width$}"));
    }
    writeln!(out, "{}", format!("{text}{remark}").trim_end())
}

/// What a form is where it is not the one that is recommended.
fn remark(measured: &Measured) -> &'static str {
    match measured.how.as_ref().map(|how| how.standing) {
        Some(Standing::Misuse) => "  misuse",
        Some(Standing::OffLabel) => "  off-label",
        Some(Standing::Fair | Standing::Floor | Standing::Unsupported) | None => "",
    }
}

fn cells(case: &Case, measured: &Measured) -> [String; 6] {
    // A search does as many operations as it takes, and its rate is what it found.
    let operations = measured.fact(Fact::Operations).unwrap_or(case.operations) as f64;
    let of_samples = |of: fn(&protocol::Sample) -> Option<f64>| {
        median(&mut measured.samples.iter().map(of).collect::<Option<Vec<_>>>()?)
    };
    let missing = || "—".to_owned();
    let per_second = observation::capacity(measured)
        .or_else(|| Some(operations / of_samples(|sample| Some(sample.wall_ns as f64))? * 1e9));
    let value = observation::value(case.metric, case.operations, measured);
    let cpu = of_samples(observation::cpu_ns).map(|cpu| units::duration(cpu / operations));
    [
        value.map_or_else(missing, |value| by_metric(case.metric, value)),
        per_second.map_or_else(missing, units::per_second),
        cpu.unwrap_or_else(missing),
        measured.peak_threads.map_or_else(missing, |count| count.to_string()),
        measured.worker_threads.map_or_else(missing, |count| count.to_string()),
        measured.peak_memory_bytes.map_or_else(missing, |size| units::bytes(size as f64)),
    ]
}

fn by_metric(metric: Metric, value: f64) -> String {
    let what = match metric {
        Metric::Wall | Metric::Capacity => "",
        Metric::WallPerOperation => " each",
        Metric::CpuPerOperation => " CPU each",
        Metric::LatencyP99 => " at p99",
        Metric::WorstGap => " gap",
        Metric::StillRunning => " running",
        Metric::PeakMemory => " at most",
        Metric::BytesPerTask => " a task",
    };
    format!("{}{what}", observation::shown(metric, value))
}

#[cfg(test)]
mod tests {
    use workloads::{Digest, Facts, Profile, find};

    use super::*;
    use protocol::How;
    use protocol::{FailureKind, Sample};

    fn printed(outcome: &Result<Measured, Failure>) -> String {
        let case = find("gather").unwrap().cases(Profile::Quick).remove(0);
        let mut out = Vec::new();
        row(&mut out, &case, outcome).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn measured(how: How) -> Measured {
        let sample = |wall_ns| Sample {
            wall_ns,
            usage: None,
            digest: Digest::of_number(1),
            facts: Facts::new(),
        };
        Measured {
            how: Some(how),
            warmup_ns: Vec::new(),
            samples: vec![sample(51_000_000), sample(53_000_000)],
            peak_threads: Some(10_003),
            worker_threads: Some(2),
            peak_memory_bytes: Some(123 << 20),
            latency_ns: Vec::new(),
        }
    }

    #[test]
    fn a_row_has_the_median_fits_80_columns_and_marks_what_is_no_recommended_form() {
        let fair = printed(&Ok(measured(How::fair("f", "l"))));
        assert_eq!(
            fair,
            "gather/n=1000               52.0 ms  19.2 k/s        —   10003       2  123 MiB\n"
        );
        assert!(fair.trim_end().chars().count() <= 80, "{fair}");
        assert!(printed(&Ok(measured(How::misuse("f", "l")))).ends_with("  misuse\n"));
        let failed = printed(&Err(Failure::new(FailureKind::Unsupported, "no form")));
        assert_eq!(failed.split_whitespace().collect::<Vec<_>>(), ["gather/n=1000", "unsupported"]);
    }
}
