//! What can be seen of the machine before, during and after a round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use machine::Activity;
use machine::limits;
use machine::limits::Limits;
use record::noise::Noise;
use workloads::service::burn;

/// CPU time of others, as a share of what all CPUs have.
pub(super) const MAX_FOREIGN: f64 = 0.05;
/// CPU time that the hypervisor gave to others, as a share of what all CPUs have.
pub(super) const MAX_STEAL: f64 = 0.01;
/// The canary's time against what is usual in this session.
pub(super) const MAX_CANARY: f64 = 1.1;
/// How long the canary should take.
const CANARY: Duration = Duration::from_millis(5);
/// Tries of a canary: what a process leaves behind when it ends is over after one or two.
const TRIES: usize = 3;
/// Canaries that say what is usual: two for each round. The speed of a machine changes and stays changed, by
/// its temperature or by what else its cores do; rounds in which it does not change can be compared.
const RECENT: usize = 20;

/// What can be seen of a machine.
pub(crate) trait Senses {
    /// Begins to look.
    fn begin(&mut self);

    /// What was seen since then. Whether the host is noisy is for others to say.
    fn end(&mut self) -> Noise;

    /// Waits for a moment in which this process does not compute: whether no other did either.
    fn is_calm(&mut self) -> bool;
}

/// The senses for this machine: what the system tells, and a canary, some computing whose time is known.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Units of [`burn`] that take about [`CANARY`].
    units: u32,
    /// Times of all canaries so far, nanoseconds.
    canaries: Vec<f64>,
    before: Before,
}

/// What was seen before a round.
#[derive(Debug)]
struct Before {
    canary_ns: f64,
    activity: Activity,
    at: Instant,
    throttled_ns: Option<u64>,
}

impl Before {
    fn now(canary_ns: f64) -> Self {
        let throttled_ns = limits::throttled_ns();
        Before { canary_ns, activity: Activity::now(), at: Instant::now(), throttled_ns }
    }

    /// Time in which a CPU quota stopped what could run since then, as a share of what the quota gives.
    fn throttled(&self, quota: Option<f64>) -> Option<f64> {
        let throttled = limits::throttled_ns()?.saturating_sub(self.throttled_ns?) as f64;
        Some(throttled / (self.at.elapsed().as_nanos().max(1) as f64 * quota?))
    }
}

impl Machine {
    /// Finds out how long the canary takes when all is quiet.
    pub(super) fn new() -> Self {
        let units = 10_000;
        let quickest = (0..5).map(|_| time(units)).fold(f64::INFINITY, f64::min);
        let units = (f64::from(units) * CANARY.as_nanos() as f64 / quickest).max(1.0) as u32;
        let canaries = (0..10).map(|_| time(units)).collect();
        Machine { units, canaries, before: Before::now(0.0) }
    }

    fn canary(&mut self) -> f64 {
        let usual = usual_canary(&self.canaries);
        let mut quickest = f64::INFINITY;
        for canary in (0..TRIES).map(|_| time(self.units)) {
            quickest = quickest.min(canary);
            if quickest <= MAX_CANARY * usual {
                break;
            }
        }
        self.canaries.push(quickest);
        quickest
    }
}

impl Senses for Machine {
    fn begin(&mut self) {
        self.before = Before::now(self.canary());
    }

    fn end(&mut self) -> Noise {
        let activity = Activity::now().since(&self.before.activity);
        let cpu_quota = Limits::of_this_process().cpu_quota;
        let throttled = self.before.throttled(cpu_quota);
        let canary_ns = self.canary().max(self.before.canary_ns);
        Noise {
            foreign: activity.foreign(),
            steal: activity.steal(),
            memory_stall: activity.memory_stall(),
            cpu_quota,
            throttled,
            canary: canary_ns / usual_canary(&self.canaries),
            noisy_host: false,
        }
    }

    fn is_calm(&mut self) -> bool {
        self.begin();
        std::thread::sleep(Duration::from_millis(500));
        let activity = Activity::now().since(&self.before.activity);
        let canary = self.canary() / usual_canary(&self.canaries);
        canary <= MAX_CANARY
            && activity.foreign().is_none_or(|foreign| foreign <= MAX_FOREIGN)
            && activity.steal().is_none_or(|steal| steal <= MAX_STEAL)
    }
}

/// The 10th percentile of the last ones.
fn usual_canary(canaries: &[f64]) -> f64 {
    let mut recent = canaries[canaries.len().saturating_sub(RECENT)..].to_vec();
    recent.sort_unstable_by(f64::total_cmp);
    recent[recent.len() / 10]
}

/// Nanoseconds that some computing takes.
fn time(units: u32) -> f64 {
    let start = Instant::now();
    black_box(burn(1, units));
    start.elapsed().as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_speed_that_stays_becomes_usual() {
        let mut canaries = vec![1.0; 100];
        canaries.extend([1.2; RECENT - 3]);
        assert_eq!(usual_canary(&canaries), 1.0);
        canaries.push(1.2);
        assert_eq!(usual_canary(&canaries), 1.2);
    }
}
