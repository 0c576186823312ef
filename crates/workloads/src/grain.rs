//! `grain`: the same total work cut into tasks of very different size.

use std::io;

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Grant, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `grain`.
#[derive(Debug)]
pub struct Grain;

params! {
    /// The parameters of `grain`.
    pub struct GrainParams {
        /// how long a task computes, ns
        pub grain_ns: u64 in 10..=1_000_000_000,
        /// how long every worker computes, µs
        pub total_us: u64 in 1..=100_000_000,
        /// tasks; 0 for as many as grain and total make
        pub tasks: u64 in 0..=100_000_000,
        /// steps of computing in a task; 0 for as many as take the grain here
        pub steps: u64 in 0..=u32::MAX as u64,
    }
}

impl Definition for Grain {
    const SPEC: Spec = Spec {
        name: "grain",
        class: Class::Cpu,
        question: "How small may a piece of work be before handing it over costs more than it does?",
        operation: "task",
        metric: Metric::WallPerOperation,
    };
    type Params = GrainParams;

    fn cases(profile: Profile) -> Vec<GrainParams> {
        let (grains, total_us): (&[u64], _) = match profile {
            Profile::Smoke => (&[1_000, 100_000], 200),
            Profile::Quick => (&[100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000], 10_000),
            Profile::Standard | Profile::Thorough => {
                (&[100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000, 10_000_000], 100_000)
            }
        };
        let params = |&grain_ns| GrainParams { grain_ns, total_us, tasks: 0, steps: 0 };
        grains.iter().map(params).collect()
    }

    fn label(params: &GrainParams) -> String {
        match params.grain_ns {
            ns if ns.is_multiple_of(1_000_000) => format!("{}ms", ns / 1_000_000),
            ns if ns.is_multiple_of(1_000) => format!("{}us", ns / 1_000),
            ns => format!("{ns}ns"),
        }
    }

    fn operations(params: &GrainParams) -> u64 {
        params.tasks.max(1)
    }

    fn limit(_: &GrainParams) -> Limit {
        Limit::SequentialOverWorkers
    }

    fn settle(params: GrainParams, grant: &Grant) -> GrainParams {
        let GrainParams { grain_ns, total_us, tasks, steps } = params;
        let all_ns = total_us * 1_000 * grant.workers as u64;
        let or = |given: u64, settled: u64| if given > 0 { given } else { settled.max(1) };
        GrainParams {
            grain_ns,
            total_us,
            tasks: or(tasks, (all_ns / grain_ns).min(100_000_000)),
            steps: or(steps, (grain_ns * 1_000 / grant.steps_ns.max(1)).min(u32::MAX.into())),
        }
    }
}

/// Tasks that an asynchronous strategy has spawned and not awaited at most: more than workers run out of, and
/// few enough for the memory of those that have ended to be used again while it is in the cache.
pub const IN_FLIGHT: usize = 1_000;

impl Workload for Grain {
    type Input = Grains;

    fn prepare(params: &GrainParams, _: &Site<'_>) -> io::Result<Grains> {
        Ok(Grains { tasks: params.tasks, steps: params.steps as u32, census: Census::new() })
    }

    fn expected(input: &Grains) -> io::Result<Digest> {
        Ok(input.digest((0..input.tasks).map(|id| input.run(id)).sum()))
    }

    fn census(input: &Grains) -> &Census {
        &input.census
    }
}

/// The tasks.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Grains {
    tasks: u64,
    steps: u32,
    census: Census,
}

/// What tasks have returned: how many they were, and a sum with wrap-around.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Yield {
    tasks: u64,
    sum: u64,
}

impl std::ops::Add for Yield {
    type Output = Yield;

    fn add(self, other: Yield) -> Yield {
        Yield { tasks: self.tasks + other.tasks, sum: self.sum.wrapping_add(other.sum) }
    }
}

impl std::iter::Sum for Yield {
    fn sum<I: Iterator<Item = Yield>>(all: I) -> Yield {
        all.fold(Yield::default(), |sum, one| sum + one)
    }
}

impl Grains {
    /// Number of tasks.
    pub fn tasks(&self) -> u64 {
        self.tasks
    }

    /// Does task `id` on the calling thread.
    #[inline(never)]
    pub fn run(&self, id: u64) -> Yield {
        self.census.mark();
        Yield { tasks: 1, sum: toil(id, self.steps) }
    }

    /// The answer from what all tasks returned.
    pub fn digest(&self, all: Yield) -> Digest {
        Digest::of_ordered([all.tasks, all.sum])
    }
}

/// Computes for some nanoseconds a step: each needs the one before.
#[inline(never)]
pub fn toil(seed: u64, steps: u32) -> u64 {
    (0..steps).fold(mix(seed), |state, step| mix(state.wrapping_add(u64::from(step))))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settled(grain_ns: u64, grant: &Grant) -> GrainParams {
        Grain::settle(GrainParams { grain_ns, total_us: 1_000, tasks: 0, steps: 0 }, grant)
    }

    #[test]
    fn the_total_of_each_worker_is_the_same_whatever_the_grain() {
        let grant = Grant { workers: 4, steps_ns: 5_000, ..Grant::default() };
        for (grain_ns, tasks, steps) in [(100, 40_000, 20), (10_000, 400, 2_000)] {
            let params = settled(grain_ns, &grant);
            assert_eq!((params.tasks, params.steps), (tasks, steps), "{grain_ns}");
            assert_eq!(Grain::settle(params.clone(), &Grant::default()), params, "once settled");
        }
    }

    #[test]
    fn a_task_left_out_or_done_twice_changes_the_answer() {
        let params = GrainParams { grain_ns: 100, total_us: 1, tasks: 10, steps: 3 };
        let grains = Grain::prepare(&params, &Site::alone(Path::new(""))).unwrap();
        let of =
            |ids: &mut dyn Iterator<Item = u64>| grains.digest(ids.map(|id| grains.run(id)).sum());
        let expected = Grain::expected(&grains).unwrap();
        assert_eq!(of(&mut (0..10).rev()), expected, "in any order");
        assert_ne!(of(&mut (0..9)), expected);
        assert_ne!(of(&mut (0..10).chain([9])), expected);
    }

    #[test]
    fn labels_are_short_and_exact() {
        let label =
            |grain_ns| Grain::label(&GrainParams { grain_ns, total_us: 1, tasks: 1, steps: 1 });
        assert_eq!([100, 1_000, 1_500, 10_000_000].map(label), ["100ns", "1us", "1500ns", "10ms"]);
    }
}
