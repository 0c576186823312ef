//! `spawn`: start tasks that do nothing and wait for their end.

use std::hint::black_box;
use std::io;

use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Sampling, Site, Spec, Workload,
    params,
};

/// From so many tasks on a process starts them once: starting threads for them takes seconds.
const MANY: u64 = 100_000;

/// The workload `spawn`.
#[derive(Debug)]
pub struct Spawn;

params! {
    /// The parameters of `spawn`.
    pub struct SpawnParams {
        /// tasks started before the first is waited for
        pub n: u64 in 1..=10_000_000,
        /// how many times so many are started and waited for, one time after the other
        pub times: u64 in 1..=1_000_000,
    }
}

impl Definition for Spawn {
    const SPEC: Spec = Spec {
        name: "spawn",
        class: Class::Scale,
        question: "What does it cost to start a task that does nothing, and to wait for its end?",
        operation: "task",
        metric: Metric::WallPerOperation,
    };
    type Params = SpawnParams;

    fn cases(profile: Profile) -> Vec<SpawnParams> {
        let cases: &[(u64, u64)] = match profile {
            Profile::Smoke => &[(1, 5), (100, 1)],
            Profile::Quick | Profile::Standard => &[(1, 500), (1_000, 1), (100_000, 1)],
            Profile::Thorough => &[(1, 500), (1_000, 1), (100_000, 1), (1_000_000, 1)],
        };
        cases.iter().map(|&(n, times)| SpawnParams { n, times }).collect()
    }

    fn label(params: &SpawnParams) -> String {
        format!("n={}", params.n)
    }

    fn operations(params: &SpawnParams) -> u64 {
        params.n * params.times
    }

    fn limit(_: &SpawnParams) -> Limit {
        Limit::Floor
    }

    fn sampling(params: &SpawnParams) -> Sampling {
        if params.n * params.times >= MANY { Sampling::Once } else { Sampling::Repeated }
    }
}

impl Workload for Spawn {
    type Input = Tasks;

    fn prepare(params: &SpawnParams, _: &Site<'_>) -> io::Result<Tasks> {
        Ok(Tasks { n: params.n, times: params.times, census: Census::new() })
    }

    fn expected(input: &Tasks) -> io::Result<Digest> {
        Ok(input.digest(input.n * input.times))
    }

    fn census(input: &Tasks) -> &Census {
        &input.census
    }
}

/// The tasks.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Tasks {
    n: u64,
    times: u64,
    census: Census,
}

impl Tasks {
    /// Tasks started before the first is waited for.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many times so many are started and waited for.
    pub fn times(&self) -> u64 {
        self.times
    }

    /// What a task does: nothing but return 1, so that tasks can be counted by their results.
    #[inline(never)]
    pub fn task(&self) -> u64 {
        self.census.mark();
        black_box(1)
    }

    /// The answer from the sum of what all tasks returned.
    pub fn digest(&self, sum: u64) -> Digest {
        Digest::of_number(sum)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_answer_counts_the_tasks_of_all_times() {
        let params = SpawnParams { n: 7, times: 3 };
        let tasks = Spawn::prepare(&params, &Site::alone(Path::new(""))).unwrap();
        let sum = (0..21).map(|_| tasks.task()).sum();
        assert_eq!(tasks.digest(sum), Spawn::expected(&tasks).unwrap());
        assert_ne!(tasks.digest(sum - 1), Spawn::expected(&tasks).unwrap());
    }

    #[test]
    fn very_many_tasks_are_started_once_in_a_process() {
        let sampling = |n, times| Spawn::sampling(&SpawnParams { n, times });
        assert_eq!(sampling(1, 500), Sampling::Repeated);
        assert_eq!(sampling(100_000, 1), Sampling::Once);
    }
}
