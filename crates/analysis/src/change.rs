//! What became of each entry of a case from one run to the other.

use std::collections::BTreeMap;

use crate::contest::Contest;
use crate::findings::Report;
use crate::run::Run;
use judge::Figure;
use judge::{MARGIN, Shift, Verdict};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No more than the margin apart.
    Same,
    /// It takes less time now.
    Faster(Company),
    /// It takes more time now.
    Slower(Company),
    /// The measurements do not tell.
    Unclear,
}

/// Whether the others of the case have changed likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// It has changed beside them, too.
    Alone,
    /// It has not changed beside them, so that it is the machine rather than the entry.
    WithAll,
    /// Neither can be said.
    Unknown,
}

/// An entry of a case in both runs.
#[derive(Debug)]
pub struct Line {
    /// The entry's id.
    pub entry: String,
    /// The median of its own observations in each run.
    pub values: [f64; 2],
    /// The second run's value by the first's.
    pub ratio: Figure,
    /// The same against what the others of the case changed by; `None` where there are none.
    pub beside_others: Option<Figure>,
    /// What became of it.
    pub change: Change,
    /// Its verdicts in both runs.
    pub verdicts: [Option<Verdict>; 2],
}

/// What one run has measured and says.
pub struct Side<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its report.
    pub report: Report,
}

/// The contestants that both runs have measured in a case.
pub fn lines(sides: &[Side<'_>; 2], id: &str) -> Vec<Line> {
    let logs = sides.each_ref().map(|side| logs(side.run, id));
    let common: Vec<_> = logs[0].keys().filter(|entry| logs[1].contains_key(*entry)).collect();
    let line = |entry: &&String| {
        let own = logs.each_ref().map(|logs| known(&logs[*entry]));
        let shift = Shift::between(&own[0], &own[1], common.len())?;
        let beside = logs.each_ref().map(|logs| beside_others(logs, entry, &common));
        let beside = Shift::between(&beside[0], &beside[1], common.len());
        let verdict = |side: &Side<'_>| {
            let case = side.report.cases.iter().find(|case| case.id == id)?;
            let row = case.rows.iter().find(|row| row.entry == **entry)?;
            row.numbers.as_ref()?.verdict
        };
        Some(Line {
            entry: (*entry).clone(),
            values: own.map(|mut logs| judge::median(&mut logs).exp()),
            ratio: shift.figure(),
            beside_others: beside.map(Shift::figure),
            change: change(shift, beside),
            verdicts: sides.each_ref().map(verdict),
        })
    };
    common.iter().filter_map(line).collect()
}

/// Logarithms of a case's contestants by round.
type Logs = BTreeMap<String, Vec<Option<f64>>>;

fn logs(run: &Run, id: &str) -> Logs {
    let Some(case) = run.plan.cases.iter().position(|case| case.id == id) else {
        return Logs::new();
    };
    let contest = Contest::of(&run.cases[case], &run.plan.entries);
    let observed = contest.observed.iter().zip(contest.series());
    let contestants = observed.filter(|(observed, _)| observed.contestant);
    contestants
        .map(|(observed, series)| {
            let logs = series.values.iter().map(|value| value.map(f64::ln)).collect();
            (run.plan.entries[observed.entry].id.clone(), logs)
        })
        .collect()
}

fn known(logs: &[Option<f64>]) -> Vec<f64> {
    logs.iter().flatten().copied().collect()
}

/// By round, how far an entry is from the median of the others; empty where there are none. Only rounds in which
/// all took part have a median that means the same.
fn beside_others(logs: &Logs, entry: &str, common: &[&String]) -> Vec<f64> {
    let others: Vec<_> = common.iter().filter(|other| **other != entry).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let own = logs[entry].iter().enumerate();
    own.filter_map(|(round, own)| {
        let of_other = |other: &&&String| logs[**other].get(round).copied().flatten();
        let mut others = others.iter().map(of_other).collect::<Option<Vec<_>>>()?;
        Some((*own)? - judge::median(&mut others))
    })
    .collect()
}

fn change(shift: Shift, beside: Option<Shift>) -> Change {
    let margin = MARGIN.ln();
    let is_within = |shift: Shift| shift.is_above(-margin) && shift.is_below(margin);
    let company = |is_likewise: fn(Shift, f64) -> bool| match beside {
        Some(beside) if is_likewise(beside, margin) => Company::Alone,
        Some(beside) if is_within(beside) => Company::WithAll,
        _ => Company::Unknown,
    };
    match () {
        () if shift.is_above(margin) => Change::Slower(company(Shift::is_above)),
        () if shift.is_below(-margin) => Change::Faster(company(|beside, m| beside.is_below(-m))),
        () if is_within(shift) => Change::Same,
        () => Change::Unclear,
    }
}
