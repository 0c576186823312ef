//! Findings that rest on the cost of a wake-up across CPUs: cases that were measured with everything on one
//! CPU, held against the same cases as the system places them.

use crate::shown::Shown;
use protocol::Placement;
use protocol::units::Scale;

use crate::case::{CaseReport, Row};
use judge::Figure;
use judge::Verdict;

/// What the section says before its lines.
pub const INTRODUCTION: &str = "Waking somebody up on another CPU costs many times as much on a \
    virtual machine as on bare metal, and decides some comparisons more than any library does. These cases \
    were measured twice: as the system places threads, and with all threads of worker and load generator \
    on one CPU, where such a wake-up cannot happen. What changes rests on that cost, and would come out \
    otherwise on a machine where it is different.";

/// A change of a ratio that is worth a word.
const CHANGE: f64 = 1.5;

/// A sentence for each case that was measured with both placements.
pub fn findings(cases: &[CaseReport]) -> Vec<String> {
    cases.iter().filter_map(|pinned| finding(free_form(cases, pinned)?, pinned)).collect()
}

/// The same case as the system places it.
fn free_form<'a>(cases: &'a [CaseReport], pinned: &CaseReport) -> Option<&'a CaseReport> {
    let same = |case: &&CaseReport| {
        case.placement == Placement::Free
            && (&case.workload, &case.params, case.workers)
                == (&pinned.workload, &pinned.params, pinned.workers)
    };
    (pinned.placement == Placement::OneCpu).then(|| cases.iter().find(same))?
}

/// The ratio to the leader.
fn ratio(case: &CaseReport, row: &Row) -> Option<Figure> {
    let numbers = row.numbers.as_ref().filter(|numbers| numbers.ratio_to == case.leader)?;
    numbers.ratio
}

fn finding(free: &CaseReport, pinned: &CaseReport) -> Option<String> {
    let (mut resting, mut unclear, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    for row in free.rows.iter().filter(|row| row.is_contestant()) {
        let other = pinned.rows.iter().find(|other| other.entry == row.entry);
        let Some((at_large, on_one)) =
            ratio(free, row).zip(other.and_then(|other| ratio(pinned, other)))
        else {
            continue;
        };
        let change = at_large.estimate / on_one.estimate;
        let apart = below(at_large, on_one) || below(on_one, at_large);
        let verdicts = (verdict(row), other.and_then(verdict));
        let flips = matches!(
            verdicts,
            (Some(Verdict::Slower), Some(Verdict::Best | Verdict::Tied))
                | (Some(Verdict::Best | Verdict::Tied), Some(Verdict::Slower))
        );
        if flips || (change.max(1.0 / change) > CHANGE && apart) {
            let (at_large, on_one) = (at_large.shown(Scale::Ratio), on_one.shown(Scale::Ratio));
            resting.push(format!("{} {at_large} → {on_one}", row.entry));
        } else if change.max(1.0 / change) > CHANGE {
            unclear.push(row.entry.as_str());
        } else {
            standing.push(row.entry.as_str());
        }
    }
    if resting.is_empty() && unclear.is_empty() && standing.is_empty() {
        return None;
    }
    let mut text = format!("{}: ", free.id);
    if resting.is_empty() {
        text.push_str("no verdict is known to rest on it");
    } else {
        text.push_str(&format!(
            "ratios to the leader as placed by the system → on one CPU: {}",
            resting.join(", ")
        ));
    }
    if !unclear.is_empty() {
        text.push_str(&format!("; too noisy to tell: {}", unclear.join(", ")));
    }
    if !standing.is_empty() {
        text.push_str(&format!("; unchanged: {}", standing.join(", ")));
    }
    text.push('.');
    Some(text)
}

/// Whether one interval ends before the other begins.
fn below(one: Figure, other: Figure) -> bool {
    one.high.zip(other.low).is_some_and(|(high, low)| high < low)
}

fn verdict(row: &Row) -> Option<Verdict> {
    row.numbers.as_ref()?.verdict
}

#[cfg(test)]
mod tests {
    use protocol::How;

    use super::*;
    use crate::findings::Report;
    use crate::fixtures::{run, walls};

    #[test]
    fn a_ratio_that_goes_when_nobody_is_woken_across_cpus_rests_on_that() {
        let fair = || How::fair("f", "l");
        let case = |threads: [u64; 3]| {
            let entries = [
                ("tokio", walls(&[1_000, 1_010, 990], fair())),
                ("threads", walls(&threads, fair())),
                ("rayon", walls(&[1_500, 1_510, 1_490], fair())),
            ];
            Report::of(&run("ring", &entries)).cases.remove(0)
        };
        let free = case([9_000, 9_010, 8_990]);
        let pinned = CaseReport { placement: Placement::OneCpu, ..case([1_000, 1_010, 990]) };
        assert_eq!(
            findings(&[free, pinned]),
            [
                "ring: ratios to the leader as placed by the system → on one CPU: threads 9.00× → 1.00×; \
              unchanged: tokio, rayon."
            ]
        );
    }
}
