//! How quiet the machine was, for the banner of the report.

use protocol::units;
use serde::Serialize;

use crate::case::{CaseReport, Twin};
use crate::run::Run;
use judge::{Verdict, median};
use record::noise::{MAX_THROTTLED, Noise};

/// What disturbed the rounds of all cases.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoiseReport {
    /// Rounds that ended, and those of them that were rejected.
    pub rounds: usize,
    /// Rounds that were rejected.
    pub rejected: usize,
    /// Rounds that count although they were disturbed, because calm did not come.
    pub accepted_on_a_noisy_host: usize,
    /// Medians of the rounds that count.
    pub foreign: Option<f64>,
    /// Share of the CPU time that the hypervisor gave to others.
    pub steal: Option<f64>,
    /// How many times as long as usual the canary took.
    pub canary: f64,
    /// The CPU quota of the control groups in the median of all rounds, in CPUs; missing without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<f64>,
    /// Time in which the quota stopped what could run, as a share of what it gives: the median of all rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled: Option<f64>,
    /// Cases with a twin that has an interval; those certified to tie, and those that differ.
    pub twins: usize,
    /// Twins that are certified to tie.
    pub twins_tied: usize,
    /// Twins that differ.
    pub twins_different: usize,
}

/// What disturbed these runs.
pub fn of(runs: &[Run], cases: &[CaseReport]) -> NoiseReport {
    let rounds = || runs.iter().flat_map(|run| &run.cases).flatten();
    let ends = || rounds().filter_map(|round| round.end.as_ref());
    let admitted = || ends().filter(|end| end.rejected.is_none()).map(|end| &end.noise);
    let median = |figures: &mut dyn Iterator<Item = f64>| {
        let mut figures: Vec<_> = figures.collect();
        (!figures.is_empty()).then(|| median(&mut figures))
    };
    let median_of = |figure: fn(&Noise) -> Option<f64>| median(&mut admitted().filter_map(figure));
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
        cpu_quota: median(&mut ends().filter_map(|end| end.noise.cpu_quota)),
        throttled: median(&mut ends().filter_map(|end| end.noise.throttled)),
        twins: twins().count(),
        twins_tied: with(Verdict::Tied),
        twins_different: with(Verdict::Slower),
    }
}

impl NoiseReport {
    /// What a reader has to know before anything else; nothing on a quiet machine.
    pub fn banner(&self) -> Option<String> {
        let disturbed = self.accepted_on_a_noisy_host > 0 || 2 * self.rejected > self.rounds;
        let share = |share: Option<f64>| {
            share.map_or_else(|| "an unknown share".to_owned(), units::percent)
        };
        let Self { rounds, rejected, accepted_on_a_noisy_host: accepted, .. } = self;
        let throttled = self.throttled.filter(|&throttled| throttled > MAX_THROTTLED);
        disturbed.then(|| match self.cpu_quota.zip(throttled) {
            Some((quota, throttled)) => format!(
                "NOISY HOST: a CPU quota of {} stopped the processes while this was measured (in the median \
                 round for {} of the CPU time that it gives). {rejected} of {rounds} rounds were rejected, {accepted} \
                 throttled ones count because the quota stays. Measure again without it.",
                cpus(quota),
                units::percent(throttled),
            ),
            None => format!(
                "NOISY HOST: others used the machine while this was measured (in the median round that counts: {} of \
                 the CPU time, {} stolen, computing takes {} its usual time). {rejected} of {rounds} rounds were rejected, {accepted} disturbed ones count \
                 because calm did not come. Measure again when the machine is quiet.",
                share(self.foreign),
                share(self.steal),
                units::ratio(self.canary),
            ),
        })
    }

    /// One sentence on rejected rounds and twins.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} rounds were rejected as noisy. The same entry measured twice: {} of {} cases \
             certified as tied, {} called different",
            self.rejected, self.rounds, self.twins_tied, self.twins, self.twins_different
        )
    }
}

/// A number of CPUs, such as `1.5 CPUs`.
fn cpus(count: f64) -> String {
    let plural = if count == 1.0 { "" } else { "s" };
    format!("{} CPU{plural}", (count * 100.0).round() / 100.0)
}
