//! What becomes of a decision when one thing changes.

use record::service::ServiceProfile;
use record::{Change, LeftOut, PlannedEntry};

use crate::case::CaseReport;
use crate::decide::decision::{Effect, Sensitivity};
use crate::decide::standing::Standing;

pub(super) fn sensitivity(
    service: &ServiceProfile,
    cases: &[CaseReport],
    entries: &[PlannedEntry],
    left_out: Option<&[LeftOut]>,
    chosen: Option<&str>,
    change: Change,
) -> Sensitivity {
    let with = change.in_words();
    let none = |sentence: String| Sensitivity { change, effect: Effect::None, sentence };
    let left_out = left_out.and_then(|all| all.iter().find(|out| out.case == change.id()));
    if let Some(LeftOut { reason, .. }) = left_out {
        return none(format!("With {with}: not measured: {reason}."));
    }
    let Some(case) = cases.iter().find(|case| case.id == change.id()) else {
        return none(match change.of(service) {
            None => format!("With {with}: not applicable, the service stays the same."),
            Some(_) => format!("With {with}: not measured (--described-only)."),
        });
    };
    if case.rows.iter().all(|row| row.numbers.is_none()) {
        return none(format!(
            "With {with}: not measured, for want of time (--time-budget 20m) or because all failed."
        ));
    }
    let standing = Standing::of(case, entries);
    let best = |standing: &Standing| match &standing.best[..] {
        [] => "none is certified best".to_owned(),
        best => format!("best: {}", best.join(", ")),
    };
    let Some(chosen) = chosen else {
        return none(format!("With {with}, {}.", best(&standing)));
    };
    let slower = standing.slower.iter().find(|(entry, _)| entry == chosen);
    let (effect, sentence) = if standing.best.iter().any(|entry| entry == chosen) {
        (Effect::Holds, format!("With {with} the decision holds ({}).", best(&standing)))
    } else if let Some((_, ratio)) = slower {
        (
            Effect::Flips,
            format!("With {with} it flips: {chosen} is {ratio} behind ({}).", best(&standing)),
        )
    } else {
        (
            Effect::Unknown,
            format!("With {with} the measurements do not tell ({}).", best(&standing)),
        )
    };
    Sensitivity { change, effect, sentence }
}
