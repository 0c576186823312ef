//! How quiet the machine was, for the banner of the report.

use serde::Serialize;
use worker::units;

use super::model::{CaseReport, Twin};
use crate::journal::Run;
use crate::judge::{Verdict, median};
use crate::noise::Noise;

/// What disturbed the rounds of all cases.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NoiseReport {
    /// Rounds that ended, and those of them that were rejected.
    pub(crate) rounds: usize,
    pub(crate) rejected: usize,
    /// Rounds that count although they were disturbed, because calm did not come.
    pub(crate) accepted_on_a_noisy_host: usize,
    /// Medians of the rounds that count.
    pub(crate) foreign: Option<f64>,
    pub(crate) steal: Option<f64>,
    pub(crate) canary: f64,
    /// Cases with a twin that has an interval; those certified to tie, and those that differ.
    pub(crate) twins: usize,
    pub(crate) twins_tied: usize,
    pub(crate) twins_different: usize,
}

pub(super) fn of(runs: &[Run], cases: &[CaseReport]) -> NoiseReport {
    let rounds = || runs.iter().flat_map(|run| &run.cases).flatten();
    let ends = || rounds().filter_map(|round| round.end.as_ref());
    let admitted = || ends().filter(|end| end.rejected.is_none()).map(|end| &end.noise);
    let median_of = |figure: fn(&Noise) -> Option<f64>| {
        let mut figures: Vec<_> = admitted().filter_map(figure).collect();
        (!figures.is_empty()).then(|| median(&mut figures))
    };
    let judged = |twin: &&Twin| twin.ratio.is_some_and(|ratio| ratio.low.is_some());
    let twins = || cases.iter().flat_map(|case| &case.twins).filter(judged);
    let with = |verdict: Verdict| twins().filter(|twin| twin.verdict == verdict).count();
    NoiseReport {
        rounds: ends().count(),
        rejected: ends().filter(|end| end.rejected.is_some()).count(),
        accepted_on_a_noisy_host: admitted().filter(|noise| noise.noisy_host).count(),
        foreign: median_of(|noise| noise.foreign),
        steal: median_of(|noise| noise.steal),
        canary: median_of(|noise| Some(noise.canary)).unwrap_or(1.0),
        twins: twins().count(),
        twins_tied: with(Verdict::Tied),
        twins_different: with(Verdict::Slower),
    }
}

impl NoiseReport {
    /// What a reader has to know before anything else; nothing on a quiet machine.
    pub(crate) fn banner(&self) -> Option<String> {
        let disturbed = self.accepted_on_a_noisy_host > 0 || 2 * self.rejected > self.rounds;
        let share = |share: Option<f64>| {
            share.map_or_else(|| "an unknown share".to_owned(), units::percent)
        };
        disturbed.then(|| {
            format!(
                "NOISY HOST: others used the machine while this was measured ({} of the CPU time in the \
                 median round). {} of {} rounds were rejected, {} disturbed ones count because calm did \
                 not come. Measure again when the machine is quiet.",
                share(self.foreign),
                self.rejected,
                self.rounds,
                self.accepted_on_a_noisy_host
            )
        })
    }

    /// One sentence on rejected rounds and twins.
    pub(crate) fn summary(&self) -> String {
        format!(
            "{} of {} rounds were rejected as noisy. The same entry measured twice: {} of {} cases \
             certified as tied, {} called different",
            self.rejected, self.rounds, self.twins_tied, self.twins, self.twins_different
        )
    }
}
