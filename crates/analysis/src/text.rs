//! Figures and ratios in words.

use judge::{Figure, Verdict};
use protocol::clean;
use protocol::units::Scale;
use workloads::Metric;

use crate::case::{CaseReport, Numbers, Row};
use crate::shown::Shown;

/// By which of the two entries are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By the metric of the case.
    Metric,
    /// By CPU time per operation.
    CpuTime,
}

impl By {
    /// A row's verdict, its ratio, and the entry that the ratio is to.
    pub fn of(self, numbers: &Numbers) -> (Option<Verdict>, Option<Figure>, Option<&str>) {
        match self {
            By::Metric => (numbers.verdict, numbers.ratio, numbers.ratio_to.as_deref()),
            By::CpuTime => {
                (numbers.cpu_verdict, numbers.cpu_ratio, numbers.cpu_ratio_to.as_deref())
            }
        }
    }

    /// The leader of a case by it.
    pub fn leader(self, case: &CaseReport) -> Option<&str> {
        match self {
            By::Metric => case.leader.as_deref(),
            By::CpuTime => case.cpu_leader.as_deref(),
        }
    }
}

/// A row's ratio with its interval, and what it is to where that is not the leader of the case.
pub fn ratio(case: &CaseReport, row: &Row, by: By) -> String {
    let judged = row.numbers.as_ref().map(|numbers| by.of(numbers));
    let Some((_, Some(ratio), to)) = judged else { return "—".to_owned() };
    match to.filter(|to| Some(*to) != by.leader(case)) {
        Some(rival) => format!("{} to {}", interval(ratio), clean(rival)),
        None => interval(ratio),
    }
}

/// Entries with their ratios, such as `tokio 1.03× [0.98, 1.08], smol 1.1×`; of many only the farthest has
/// its ratio.
pub fn followers(entries: &[(&str, Verdict, Figure)]) -> String {
    let full =
        |(entry, _, ratio): &(&str, Verdict, Figure)| format!("{entry} {}", interval(*ratio));
    if entries.len() <= 2 {
        return entries.iter().map(full).collect::<Vec<_>>().join(", ");
    }
    let (last, others) = entries.split_last().expect("there are some");
    let names: Vec<_> = others.iter().map(|(entry, ..)| *entry).collect();
    format!("{}, up to {}", names.join(", "), full(last))
}

/// A ratio with its interval, such as `1.34× [1.31, 1.37]`.
pub fn interval(ratio: Figure) -> String {
    ratio.shown_with_interval(Scale::Ratio)
}

/// A value in the unit of its metric, such as `51.3 ms`.
pub fn shown(metric: Metric, value: Figure) -> String {
    if metric == Metric::StillRunning {
        return format!("{:.0}", value.estimate);
    }
    let (scale, value) = scaled(metric, value);
    value.shown(scale)
}

/// A value by a metric in the form that is shown: a capacity is kept as time between requests.
pub fn scaled(metric: Metric, value: Figure) -> (Scale, Figure) {
    match metric {
        Metric::Capacity => (Scale::PerSecond, value.inverse().times(1e9)),
        Metric::StillRunning => (Scale::Count, value),
        Metric::BytesPerTask | Metric::PeakMemory => (Scale::Bytes, value),
        _ => (Scale::Duration, value),
    }
}

/// A number of rounds in words.
pub fn rounds(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} round{plural}")
}
