//! Whether a round was disturbed: looked at before and after it, never by the values that it measured.

use record::noise::{MAX_THROTTLED, Noise};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use machine::limits;
use machine::limits::Limits;
use workloads::request::burn;

use judge::median;
use machine::Activity;

/// CPU time of others, as a share of what all CPUs have.
const MAX_FOREIGN: f64 = 0.05;
/// CPU time that the hypervisor gave to others, as a share of what all CPUs have.
const MAX_STEAL: f64 = 0.01;
/// Share of the time in which somebody waited for memory.
const MAX_MEMORY_STALL: f64 = 0.01;
/// The canary's time against what is usual in this session.
const MAX_CANARY: f64 = 1.1;
/// How long the canary should take.
const CANARY: Duration = Duration::from_millis(5);
/// Tries of a canary: what a process leaves behind when it ends is over after one or two.
const TRIES: usize = 3;
/// Canaries that say what is usual: two for each round. The speed of a machine changes and stays changed, by
/// its temperature or by what else its cores do; rounds in which it does not change can be compared.
const RECENT: usize = 20;
/// Rounds before a host can be called noisy.
const ROUNDS_TO_TELL: usize = 10;
/// How often calm is waited for, before its not lasting is taken for the way of this host.
const WAITS: usize = 2;
/// On a noisy host, a round may have that much more foreign CPU time than is usual.
const NOISIER_THAN_USUAL: f64 = 1.5;

/// Watches over the rounds of a session.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Units of [`burn`] that take about [`CANARY`].
    units: u32,
    /// Times of all canaries so far, nanoseconds.
    canaries: Vec<f64>,
    seen: Vec<Noise>,
    /// The least foreign CPU time of each case's rounds.
    own: HashMap<usize, f64>,
    rejected: usize,
    /// How often calm was waited for.
    waits: usize,
    noisy_host: bool,
}

/// What was seen before a round.
#[derive(Debug)]
pub(crate) struct Before {
    canary_ns: f64,
    activity: Activity,
    at: Instant,
    throttled_ns: Option<u64>,
}

impl Before {
    /// Time in which a CPU quota stopped what could run since then, as a share of what the quota gives.
    fn throttled(&self, quota: Option<f64>) -> Option<f64> {
        let throttled = limits::throttled_ns()?.saturating_sub(self.throttled_ns?) as f64;
        Some(throttled / (self.at.elapsed().as_nanos().max(1) as f64 * quota?))
    }
}

impl Gate {
    /// Finds out how long the canary takes when all is quiet.
    pub(crate) fn new() -> Self {
        let units = 10_000;
        let quickest = (0..5).map(|_| time(units)).fold(f64::INFINITY, f64::min);
        let units = (f64::from(units) * CANARY.as_nanos() as f64 / quickest).max(1.0) as u32;
        let canaries = (0..10).map(|_| time(units)).collect();
        let (seen, own) = (Vec::new(), HashMap::new());
        Gate { units, canaries, seen, own, rejected: 0, waits: 0, noisy_host: false }
    }

    pub(crate) fn before(&mut self) -> Before {
        let canary_ns = self.canary();
        let throttled_ns = limits::throttled_ns();
        Before { canary_ns, activity: Activity::now(), at: Instant::now(), throttled_ns }
    }

    /// The noise of a case's round since then, and why it is rejected, if it is.
    pub(crate) fn after(&mut self, before: &Before, case: usize) -> (Noise, Option<String>) {
        let activity = Activity::now().since(&before.activity);
        let cpu_quota = Limits::of_this_process().cpu_quota;
        let throttled = before.throttled(cpu_quota);
        let canary_ns = self.canary().max(before.canary_ns);
        let noise = Noise {
            foreign: activity.foreign(),
            steal: activity.steal(),
            memory_stall: activity.memory_stall(),
            cpu_quota,
            throttled,
            canary: canary_ns / self.usual_canary(),
            noisy_host: self.noisy_host,
        };
        let usual = self.noisy_host.then(|| self.usual());
        let known = self.own.get(&case).copied();
        let reason = disturbance(&noise, known, usual.as_ref());
        if let Some(foreign) = noise.foreign {
            self.own.insert(case, known.map_or(foreign, |known| known.min(foreign)));
        }
        self.seen.push(noise);
        self.rejected += usize::from(reason.is_some());
        (noise, reason)
    }

    /// Whether most rounds were rejected, so that it is time to wait for calm.
    pub(crate) fn is_overwhelmed(&self) -> bool {
        !self.noisy_host && self.seen.len() >= ROUNDS_TO_TELL && 2 * self.rejected > self.seen.len()
    }

    /// Whether it is the CPU quota of this process that disturbs most rounds: no calm ends that.
    pub(crate) fn is_throttled(&self) -> bool {
        self.usual().is_throttled()
    }

    /// After waiting: the session starts anew, or, where calm did not come, rounds are held to the level of
    /// this host from now on. So they are where calm came before and did not last, as that could go on for
    /// ever. Says whether the host is noisy.
    pub(crate) fn go_on(&mut self, calm: bool) -> bool {
        self.waits += 1;
        self.noisy_host = !calm || self.waits > WAITS;
        if !self.noisy_host {
            self.seen.clear();
            self.rejected = 0;
        }
        self.noisy_host
    }

    /// Whether nobody else computes in a moment in which this process does not either.
    pub(crate) fn is_calm(&mut self) -> bool {
        let before = self.before();
        std::thread::sleep(Duration::from_millis(500));
        let activity = Activity::now().since(&before.activity);
        let canary = self.canary() / self.usual_canary();
        canary <= MAX_CANARY
            && activity.foreign().is_none_or(|foreign| foreign <= MAX_FOREIGN)
            && activity.steal().is_none_or(|steal| steal <= MAX_STEAL)
    }

    /// Rounds that were rejected, and all rounds.
    pub(crate) fn rejected(&self) -> [usize; 2] {
        [self.rejected, self.seen.len()]
    }

    fn canary(&mut self) -> f64 {
        let usual = self.usual_canary();
        let tries = (0..TRIES).map(|_| time(self.units));
        let mut quickest = f64::INFINITY;
        for canary in tries {
            quickest = quickest.min(canary);
            if quickest <= MAX_CANARY * usual {
                break;
            }
        }
        self.canaries.push(quickest);
        quickest
    }

    /// The 10th percentile of the last ones.
    fn usual_canary(&self) -> f64 {
        low_percentile(&self.canaries[self.canaries.len().saturating_sub(RECENT)..])
    }

    /// The median noise of the session.
    fn usual(&self) -> Noise {
        let of = |figure: fn(&Noise) -> Option<f64>| {
            let mut figures: Vec<_> = self.seen.iter().filter_map(figure).collect();
            (!figures.is_empty()).then(|| median(&mut figures))
        };
        Noise {
            foreign: of(|noise| noise.foreign),
            steal: of(|noise| noise.steal),
            memory_stall: of(|noise| noise.memory_stall),
            cpu_quota: of(|noise| noise.cpu_quota),
            throttled: of(|noise| noise.throttled),
            canary: of(|noise| Some(noise.canary)).unwrap_or(1.0),
            noisy_host: true,
        }
    }
}

/// What is too much in a round: by itself, or against what is `usual` on a noisy host. Part of what looks
/// foreign is what the kernel does for the case itself, such as taking down a hundred thousand threads:
/// `own`, the least that was seen in a round of the case, is allowed for, up to the limit itself.
fn disturbance(noise: &Noise, own: Option<f64>, usual: Option<&Noise>) -> Option<String> {
    let allowed = |limit: f64, usual: Option<f64>| {
        usual.map_or(limit, |usual| limit.max(NOISIER_THAN_USUAL * usual))
    };
    let share = |name: &str, value: Option<f64>, limit: f64, usual: Option<f64>| {
        let limit = allowed(limit, usual);
        let value = value.filter(|&value| value > limit)?;
        Some(format!("{name} {:.1} % (limit {:.1} %)", 100.0 * value, 100.0 * limit))
    };
    let usual_of = |figure: fn(&Noise) -> Option<f64>| usual.and_then(figure);
    let canary = allowed(MAX_CANARY, usual.map(|usual| usual.canary));
    let foreign = MAX_FOREIGN + own.unwrap_or(0.0).min(MAX_FOREIGN);
    share("foreign CPU time", noise.foreign, foreign, usual_of(|u| u.foreign))
        .or_else(|| share("steal", noise.steal, MAX_STEAL, usual_of(|u| u.steal)))
        .or_else(|| {
            let usual = usual_of(|u| u.memory_stall);
            share("waiting for memory", noise.memory_stall, MAX_MEMORY_STALL, usual)
        })
        .or_else(|| {
            let usual = usual_of(|u| u.throttled);
            share("throttled by the CPU quota", noise.throttled, MAX_THROTTLED, usual)
        })
        .or_else(|| {
            let too_slow = noise.canary > canary;
            too_slow
                .then(|| format!("canary {:.2}× its usual time (limit {canary:.2}×)", noise.canary))
        })
}

/// Nanoseconds that some computing takes.
fn time(units: u32) -> f64 {
    let start = Instant::now();
    black_box(burn(1, units));
    start.elapsed().as_nanos() as f64
}

/// The 10th percentile.
fn low_percentile(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 10]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(foreign: f64, steal: f64, canary: f64) -> Noise {
        Noise { foreign: Some(foreign), steal: Some(steal), canary, ..Noise::default() }
    }

    #[test]
    fn each_kind_of_disturbance_is_named_with_its_limit() {
        assert_eq!(disturbance(&noise(0.05, 0.01, 1.1), None, None), None);
        for (noise, reason) in [
            (noise(0.5, 0.0, 1.0), "foreign CPU time 50.0 % (limit 5.0 %)"),
            (noise(0.0, 0.02, 1.0), "steal 2.0 % (limit 1.0 %)"),
            (noise(0.0, 0.0, 1.25), "canary 1.25× its usual time (limit 1.10×)"),
        ] {
            assert_eq!(disturbance(&noise, None, None).as_deref(), Some(reason));
        }
    }

    #[test]
    fn a_round_that_the_cpu_quota_stopped_is_rejected_and_calm_is_not_waited_for() {
        let with = |throttled| Noise { throttled: Some(throttled), ..noise(0.0, 0.0, 1.0) };
        assert_eq!(disturbance(&with(0.01), None, None), None);
        assert_eq!(
            disturbance(&with(0.123), None, None).as_deref(),
            Some("throttled by the CPU quota 12.3 % (limit 1.0 %)")
        );
        let gate = Gate { seen: vec![with(0.3); ROUNDS_TO_TELL], ..half_rejected() };
        assert!(gate.is_throttled() && !half_rejected().is_throttled());
        let usual = gate.usual();
        assert_eq!(disturbance(&with(0.4), None, Some(&usual)), None);
        assert!(disturbance(&with(0.5), None, Some(&usual)).is_some());
    }

    #[test]
    fn what_the_system_does_not_tell_rejects_nothing() {
        let silent = Noise { canary: 1.0, ..Noise::default() };
        assert_eq!(disturbance(&silent, None, None), None);
    }

    #[test]
    fn what_the_kernel_does_for_a_case_itself_is_allowed_for_but_not_without_bound() {
        assert!(disturbance(&noise(0.06, 0.0, 1.0), None, None).is_some(), "not yet known");
        assert_eq!(disturbance(&noise(0.07, 0.0, 1.0), Some(0.06), None), None);
        assert!(disturbance(&noise(0.12, 0.0, 1.0), Some(0.06), None).is_some());
        assert!(disturbance(&noise(0.5, 0.0, 1.0), Some(0.5), None).is_some());
    }

    #[test]
    fn on_a_noisy_host_only_what_is_noisier_than_usual_is_rejected() {
        let usual = noise(0.5, 0.0, 1.2);
        assert_eq!(disturbance(&noise(0.6, 0.0, 1.3), None, Some(&usual)), None);
        assert!(disturbance(&noise(0.8, 0.0, 1.2), None, Some(&usual)).is_some());
    }

    fn half_rejected() -> Gate {
        Gate {
            units: 1,
            canaries: vec![1.0],
            seen: vec![noise(0.5, 0.0, 1.0); ROUNDS_TO_TELL],
            own: HashMap::new(),
            rejected: ROUNDS_TO_TELL / 2,
            waits: 0,
            noisy_host: false,
        }
    }

    #[test]
    fn a_change_of_speed_that_stays_becomes_usual() {
        let mut gate = Gate { canaries: vec![1.0; 100], ..half_rejected() };
        gate.canaries.extend([1.2; RECENT - 3]);
        assert_eq!(gate.usual_canary(), 1.0);
        gate.canaries.push(1.2);
        assert_eq!(gate.usual_canary(), 1.2);
    }

    #[test]
    fn calm_that_never_lasts_is_not_waited_for_for_ever() {
        let mut gate = half_rejected();
        for wait in 1..=WAITS + 1 {
            assert_eq!(gate.go_on(true), wait > WAITS);
        }
        assert!(!half_rejected().go_on(true) && half_rejected().go_on(false));
    }

    #[test]
    fn a_host_is_noisy_when_most_rounds_are_rejected_and_then_adapts() {
        let mut gate = half_rejected();
        assert!(!gate.is_overwhelmed());
        gate.rejected += 1;
        assert!(gate.is_overwhelmed());
        gate.go_on(false);
        assert!(!gate.is_overwhelmed());
        assert_eq!(disturbance(&noise(0.5, 0.0, 1.0), None, Some(&gate.usual())), None);
    }
}
