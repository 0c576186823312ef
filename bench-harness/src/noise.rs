//! Whether a round was disturbed: looked at before and after it, never by the values that it measured.

use std::collections::HashMap;

use judge::median;
use record::noise::{MAX_THROTTLED, Noise};

use crate::noise::senses::{MAX_CANARY, MAX_FOREIGN, MAX_STEAL, Machine};

mod senses;

pub(crate) use senses::Senses;

/// Share of the time in which a process waited for memory.
const MAX_MEMORY_STALL: f64 = 0.01;
/// Rounds before a host can be called noisy.
const ROUNDS_TO_TELL: usize = 10;
/// How often calm is waited for, before its not lasting is taken for the way of this host.
const WAITS: usize = 2;
/// On a noisy host, a round may have that much more foreign CPU time than is usual.
const NOISIER_THAN_USUAL: f64 = 1.5;

/// Watches over the rounds of a session.
#[derive(Debug)]
pub(crate) struct Gate<S = Machine> {
    senses: S,
    seen: Vec<Noise>,
    /// The least foreign CPU time of each case's rounds.
    own: HashMap<usize, f64>,
    rejected: usize,
    /// How often calm was waited for.
    waits: usize,
    noisy_host: bool,
}

impl Gate {
    /// Finds out how fast the machine is when all is quiet.
    pub(crate) fn new() -> Self {
        Gate::with(Machine::new())
    }
}

impl<S: Senses> Gate<S> {
    /// A gate that judges by what these senses say.
    pub(crate) fn with(senses: S) -> Self {
        let (seen, own) = (Vec::new(), HashMap::new());
        Gate { senses, seen, own, rejected: 0, waits: 0, noisy_host: false }
    }

    /// A round begins.
    pub(crate) fn before(&mut self) {
        self.senses.begin();
    }

    /// The noise of a case's round since then, and why it is rejected, if it is.
    pub(crate) fn after(&mut self, case: usize) -> (Noise, Option<String>) {
        let noise = Noise { noisy_host: self.noisy_host, ..self.senses.end() };
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

    /// Whether no other process computes in a moment in which this one does not either.
    pub(crate) fn is_calm(&mut self) -> bool {
        self.senses.is_calm()
    }

    /// Rounds that were rejected, and all rounds.
    pub(crate) fn rejected(&self) -> [usize; 2] {
        [self.rejected, self.seen.len()]
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

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Senses that say what they were told to, and then that nothing disturbs.
    #[derive(Debug, Default)]
    pub(crate) struct Told {
        /// CPU time of others in each round, as a share.
        pub(crate) foreign: VecDeque<f64>,
        /// How often calm was asked for; it never comes.
        pub(crate) waits: u32,
    }

    impl Senses for Told {
        fn begin(&mut self) {}

        fn end(&mut self) -> Noise {
            noise(self.foreign.pop_front().unwrap_or(0.0), 0.0, 1.0)
        }

        fn is_calm(&mut self) -> bool {
            self.waits += 1;
            false
        }
    }

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

    impl Gate<Told> {
        /// What it judges by.
        pub(crate) fn senses(&self) -> &Told {
            &self.senses
        }
    }

    fn half_rejected() -> Gate<Told> {
        Gate {
            senses: Told::default(),
            seen: vec![noise(0.5, 0.0, 1.0); ROUNDS_TO_TELL],
            own: HashMap::new(),
            rejected: ROUNDS_TO_TELL / 2,
            waits: 0,
            noisy_host: false,
        }
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
