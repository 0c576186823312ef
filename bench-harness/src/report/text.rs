//! Words and numbers that all formats share, and the taming of text from outside.

use worker::Standing;
use worker::observation::shown;
use worker::units;

use super::model::{CaseReport, Numbers, Report, Row, Twin};
use crate::judge::{Ratio, Verdict};

/// Text from workers and parameters on one line without control characters.
pub(crate) fn clean(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

/// An entry's name, with its standing where that is not plain.
pub(crate) fn name(row: &Row) -> String {
    let off_label = if row.standing == Some(Standing::OffLabel) { ", off-label" } else { "" };
    format!("{}{off_label}", clean(&row.entry))
}

/// A verdict in a word or two.
pub(crate) fn verdict(row: &Row) -> String {
    if let Some(failure) = &row.failure {
        return failure.kind.to_string();
    }
    let word = match (row.standing, row.numbers.as_ref().and_then(|n| n.verdict)) {
        (Some(Standing::Misuse), _) => "misuse",
        (Some(Standing::Floor), _) => "floor",
        (_, Some(Verdict::Best)) => "best",
        (_, Some(Verdict::Tied)) => "tied",
        (_, Some(Verdict::Slower)) => "slower",
        (_, Some(Verdict::Undecided)) => "undecided",
        (_, Some(Verdict::Alone)) => "alone",
        (_, None) => "no number",
    };
    word.to_owned()
}

/// A cell of the matrix of workload × strategy.
pub(crate) fn matrix_cell(case: &CaseReport, entry: &str) -> String {
    let Some(row) = case.rows.iter().find(|row| row.entry == entry) else { return String::new() };
    if let Some(failure) = &row.failure {
        return match failure.kind {
            worker::protocol::FailureKind::Unsupported => "—".to_owned(),
            kind => kind.to_string(),
        };
    }
    let Some(numbers) = &row.numbers else { return "no number".to_owned() };
    let ratio = numbers.ratio.map_or_else(String::new, |ratio| units::ratio(ratio.estimate));
    match (row.standing, numbers.verdict) {
        (Some(Standing::Misuse), _) => format!("misuse {ratio}").trim_end().to_owned(),
        (_, Some(Verdict::Best)) => "best".to_owned(),
        (_, Some(Verdict::Tied)) => "tied".to_owned(),
        (_, Some(Verdict::Alone)) => "alone".to_owned(),
        (_, Some(Verdict::Undecided)) => format!("{ratio} ?"),
        (_, None) => shown(case.metric, numbers.value),
        (_, Some(Verdict::Slower)) => ratio,
    }
}

/// The same by CPU time per operation.
pub(crate) fn cpu_cell(case: &CaseReport, entry: &str) -> String {
    let numbers = case.rows.iter().find(|row| row.entry == entry).and_then(|r| r.numbers.as_ref());
    let Some(numbers) = numbers else { return String::new() };
    let ratio = numbers.cpu_ratio.map_or_else(String::new, |ratio| units::ratio(ratio.estimate));
    match numbers.cpu_verdict {
        Some(Verdict::Best) => "best".to_owned(),
        Some(Verdict::Tied) => "tied".to_owned(),
        Some(Verdict::Alone) => "alone".to_owned(),
        Some(Verdict::Undecided) => format!("{ratio} ?"),
        Some(Verdict::Slower) => ratio,
        None => String::new(),
    }
}

/// Entries with their ratios, such as `tokio 1.03× [0.98, 1.08], smol 1.1×`; of many only the farthest has
/// its ratio.
pub(crate) fn followers(entries: &[(&str, Verdict, Ratio)]) -> String {
    let full = |(entry, _, ratio): &(&str, Verdict, Ratio)| format!("{entry} {}", interval(*ratio));
    if entries.len() <= 2 {
        return entries.iter().map(full).collect::<Vec<_>>().join(", ");
    }
    let (last, others) = entries.split_last().expect("there are some");
    let names: Vec<_> = others.iter().map(|(entry, ..)| *entry).collect();
    format!("{}, up to {}", names.join(", "), full(last))
}

/// What the matrix's words mean.
pub(crate) const LEGEND: &str = "Ratio to the leader of each row by its metric. \
    best: clear of all others; tied: no more than 2.5 % behind anyone; ?: undecided, the interval \
    is in the report; alone: no other fair form; misuse: a known mistake and its price; —: the model has no \
    form of it; empty: it does not take part.";

/// Shown wherever async-std is.
pub(crate) const ASYNC_STD: &str = "async-std is discontinued in favour of smol \
    (RUSTSEC-2025-0052): measured for programs that still run on it, not for new work.";

/// A ratio with its interval, such as `1.34× [1.31, 1.37]`, or `[?]` where the interval says nothing.
pub(crate) fn interval(ratio: Ratio) -> String {
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) if low == high => units::ratio(ratio.estimate),
        (Some(low), Some(high)) if high > 10.0 * low => {
            format!("{} [?]", units::ratio(ratio.estimate))
        }
        (Some(low), Some(high)) => format!(
            "{} [{}, {}]",
            units::ratio(ratio.estimate),
            units::digits(low),
            units::digits(high)
        ),
        _ => units::ratio(ratio.estimate),
    }
}

/// Limit reached, such as `97.1 % [96.0, 98.2]`.
pub(crate) fn share(share: Option<Ratio>) -> String {
    let Some(share) = share else { return "—".to_owned() };
    match (share.low, share.high) {
        (Some(low), Some(high)) if low == high => units::percent(share.estimate),
        (Some(low), Some(high)) if high > 10.0 * low => {
            format!("{} [?]", units::percent(share.estimate))
        }
        (Some(low), Some(high)) => format!(
            "{} [{}, {}]",
            units::percent(share.estimate),
            units::digits(low * 100.0),
            units::digits(high * 100.0)
        ),
        _ => units::percent(share.estimate),
    }
}

/// A figure that may be missing.
pub(crate) fn or_dash<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "—".to_owned(), show)
}

/// Prediction beside measurement, where there is one.
pub(crate) fn prediction(numbers: &Numbers) -> Option<String> {
    let predicted = numbers.predicted_ns?;
    Some(format!(
        "predicted {}, measured {}",
        units::duration(predicted as f64),
        units::duration(numbers.wall_ns)
    ))
}

/// A number of rounds in words.
pub(crate) fn rounds(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} round{plural}")
}

/// How an entry fared against itself.
pub(crate) fn twin(twin: &Twin) -> String {
    let ratio = or_dash(twin.ratio, interval);
    let verdict = match twin.verdict {
        Verdict::Tied => "certified as tied",
        Verdict::Slower => "called different, so that no verdict of this case can be trusted",
        _ => "neither certified as tied nor called different",
    };
    format!("{} against itself: {ratio} in {}, {verdict}", twin.entry, rounds(twin.rounds))
}

/// What elementary things cost on this machine.
pub(crate) fn calibration(report: &Report) -> Option<String> {
    let lines = report.host.calibration.as_ref()?.lines();
    let figures: Vec<_> = lines.iter().map(|(label, value)| format!("{label} {value}")).collect();
    Some(format!("This machine: {}.", figures.join(", ")))
}

/// One line on what was measured and where.
pub(crate) fn provenance(report: &Report) -> String {
    let host = &report.host;
    let cpu = host.cpu.as_deref().unwrap_or("unknown CPU");
    let cpus = host.cpus_allowed.map_or_else(String::new, |cpus| format!(", {cpus} CPUs allowed"));
    let under =
        host.virtualisation.as_ref().map_or_else(String::new, |kind| format!(", under {kind}"));
    let kernel = host.kernel.as_deref().unwrap_or("unknown kernel");
    let rates = report.capacity.as_ref().map_or_else(String::new, |capacity| {
        let (rate, entry) = (units::per_second(capacity.per_second), &capacity.entry);
        format!("; loads of serve are shares of {rate}, the capacity of {entry}")
    });
    let rounds: Vec<_> = report.cases.iter().map(|case| case.rounds).filter(|&n| n > 1).collect();
    let rounds = match (rounds.iter().min(), rounds.iter().max()) {
        (Some(few), Some(many)) if few < many => format!("{few} to {many}"),
        (Some(few), _) => few.to_string(),
        (None, _) => "1".to_owned(),
    };
    clean(&format!(
        "{} profile, {} workers, {rounds} rounds a case, seed {}; {cpu}{cpus}{under}; Linux {kernel}; {}{rates}",
        report.profile,
        report.workers,
        report.seed,
        host.rustc.as_deref().unwrap_or("unknown rustc")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_line_breaks_are_taken_out() {
        assert_eq!(clean("a\nb\t\x1b[31mred\x07 | x"), "a b [31mred | x");
    }
}
