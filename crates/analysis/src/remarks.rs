//! What is said of a case beside its numbers: why some are missing, and what a reader would not see in them.

use protocol::units;
use workloads::Limit;

use crate::case::{Row, SEQUENTIAL};
use crate::contest::TwinFailure;
use crate::rounds::Round;
use crate::text::interval;
use judge::Figure;
use record::PlannedEntry;

/// Why an entry that did not fail has no numbers.
pub(crate) fn why_missing(sessions: &[&[Round]], entry: usize) -> String {
    let rounds = || sessions.iter().copied().flatten();
    let visited = || rounds().filter(|round| round.visit(entry, false).is_some());
    let why = match () {
        () if rounds().next().is_none() => {
            "no time was left for it, or the run was interrupted before it: give a larger --time-budget, or --resume"
        }
        () if visited().next().is_none() => "it left before a round of this case was measured",
        () if visited().all(|round| round.end.is_none()) => "the run was interrupted in its round",
        () if visited().all(|round| !round.is_admitted()) => {
            "every round was rejected as noisy: measure on a quieter machine"
        }
        () => "its program did not record what the metric needs",
    };
    why.to_owned()
}

/// What is said of a case in which no contestant has a number.
pub(crate) fn no_answer(rows: &[Row]) -> String {
    let reason = |row: &Row| {
        let failure = row.failure.as_ref().map(|failure| failure.kind.to_string());
        failure.or_else(|| row.missing.clone())
    };
    let contestants = rows.iter().filter(|row| row.is_contestant());
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for reason in contestants.filter_map(reason) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    match &reasons[..] {
        [] => "No strategy takes part with a fair form.".to_owned(),
        [(reason, _)] if reason == "unsupported" => "No strategy has a fair form here.".to_owned(),
        [(reason, _)] => format!("Not measured: {reason}."),
        several => {
            let several: Vec<_> =
                several.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
            format!("No contestant has a number: {}.", several.join("; "))
        }
    }
}

/// The models that one plain thread beats, where the limit is what one thread takes.
pub(crate) fn one_thread(limit: &Limit, rows: &[Row]) -> Option<String> {
    if !matches!(limit, Limit::SequentialOverWorkers | Limit::SequentialOrLargest { .. }) {
        return None;
    }
    let value = |row: &Row| row.numbers.as_ref().map(|numbers| numbers.value);
    let plain = value(rows.iter().find(|row| row.entry == SEQUENTIAL)?)?;
    let models: Vec<(&str, Figure)> = rows
        .iter()
        .filter(|row| row.is_contestant())
        .filter_map(|row| Some((row.entry.as_str(), value(row)?.over(plain))))
        .collect();
    let is_behind = |ratio: &Figure| ratio.low.is_some_and(|low| low > 1.0);
    let behind: Vec<_> = models.iter().filter(|(_, ratio)| is_behind(ratio)).collect();
    let (nearest, ratio) = behind.iter().min_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate))?;
    let names: Vec<_> = behind.iter().map(|(entry, _)| *entry).collect();
    let which =
        if behind.len() == models.len() { "every model".to_owned() } else { names.join(", ") };
    Some(format!(
        "One plain thread that hands nothing over ({}) is faster here than {which}: {nearest} takes {} as long.",
        units::duration(plain.estimate),
        interval(*ratio)
    ))
}

/// That a check of an entry against itself was lost.
pub(crate) fn twin_failure_note(lost: &TwinFailure<'_>, entries: &[PlannedEntry]) -> String {
    let (entry, failure) = (&entries[lost.entry].id, lost.failure);
    if lost.only_twin {
        format!(
            "{entry} failed when it was visited a second time in a round ({}: {}): from then on it was not \
             held against itself.",
            failure.failure, failure.reason
        )
    } else {
        format!("{entry}, which was held against itself, failed: that check is missing.")
    }
}

#[cfg(test)]
mod tests {
    use protocol::How;
    use protocol::{Failure, FailureKind};

    use crate::findings::Report;
    use crate::fixtures::{run, walls};
    use crate::run::Run;
    use record::journal::Outcome;

    #[test]
    fn one_plain_thread_that_beats_models_is_named() {
        let fair = || How::fair("f", "l");
        let note = |rayon: [u64; 3]| {
            let report = Report::of(&run(
                "map",
                &[
                    ("floor/sequential", walls(&[1_000, 1_001, 999], How::floor("f", "l"))),
                    ("tokio", walls(&[5_000, 5_010, 4_990], fair())),
                    ("rayon", walls(&rayon, fair())),
                ],
            ));
            report.cases[0].notes.iter().find(|note| note.starts_with("One plain thread")).cloned()
        };
        let every = note([1_300, 1_301, 1_299]).unwrap();
        assert!(every.contains("is faster here than every model: rayon takes 1.30×"), "{every}");
        let some = note([700, 701, 699]).unwrap();
        assert!(some.contains("is faster here than tokio: tokio takes 5.00×"), "{some}");
    }

    #[test]
    fn a_cell_without_a_number_says_why() {
        let fair = || How::fair("f", "l");
        let why = |run: &Run| {
            let report = Report::of(run);
            let case = &report.cases[0];
            (case.answer.clone(), case.rows[0].missing.clone().unwrap_or_default())
        };
        let (answer, missing) = why(&run("map", &[("tokio", vec![])]));
        assert!(answer.starts_with("Not measured: no time was left for it"), "{answer}");
        assert!(missing.starts_with("no time was left"), "{missing}");
        let mut noisy = run("map", &[("tokio", walls(&[10], fair()))]);
        noisy.cases[0][0].end.as_mut().unwrap().rejected = Some("steal 5 %".to_owned());
        assert!(why(&noisy).1.starts_with("every round was rejected as noisy"));
        noisy.cases[0][0].end = None;
        assert!(why(&noisy).1.starts_with("the run was interrupted"));
        let unsupported = Failure::new(FailureKind::Unsupported, "no form");
        let none = run("map", &[("tokio", vec![Outcome::Failed(unsupported.clone())])]);
        assert_eq!(why(&none).0, "No strategy has a fair form here.");
        let mixed = run(
            "map",
            &[
                ("tokio", vec![Outcome::Failed(unsupported)]),
                ("smol", vec![Outcome::Failed(Failure::new(FailureKind::Timeout, "slow"))]),
            ],
        );
        assert_eq!(why(&mixed).0, "No contestant has a number: 1 × unsupported; 1 × timeout.");
    }
}
