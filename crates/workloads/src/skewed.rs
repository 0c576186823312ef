//! `skewed`: independent jobs of very unequal size.

use std::io;

use crate::random::mix;
use crate::service::burn;
use crate::{
    Amount, Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Unit, Workload,
    params,
};

/// Bytes hashed in one unit of [`burn`].
const UNIT_BYTES: u64 = 1_024;

/// The workload `skewed`.
#[derive(Debug)]
pub struct Skewed;

params! {
    /// The parameters of `skewed`.
    pub struct SkewedParams {
        /// jobs to do
        pub jobs: u64 in 1..=1_000_000,
        /// size of the largest job in units of computing, about a microsecond each; the k-th
        /// largest has a k-th of it
        pub largest: u64 in 1..=1_000_000,
    }
}

impl Definition for Skewed {
    const SPEC: Spec = Spec {
        name: "skewed",
        class: Class::Cpu,
        question: "How well does CPU work of very unequal size spread over the cores?",
        operation: "job",
        metric: Metric::Wall,
    };
    type Params = SkewedParams;

    /// Four units for the smallest job, whatever the number of jobs.
    fn cases(profile: Profile) -> Vec<SkewedParams> {
        let jobs = match profile {
            Profile::Smoke => 200,
            Profile::Quick => 2_500,
            Profile::Standard | Profile::Thorough => 10_000,
        };
        vec![SkewedParams { jobs, largest: 4 * jobs }]
    }

    fn label(_: &SkewedParams) -> String {
        String::new()
    }

    fn operations(params: &SkewedParams) -> u64 {
        params.jobs
    }

    fn limit(params: &SkewedParams) -> Limit {
        Limit::SequentialOrLargest { largest: params.largest, all: sizes(params).sum() }
    }

    fn amount(params: &SkewedParams) -> Option<Amount> {
        Some(Amount { count: sizes(params).sum::<u64>() * UNIT_BYTES, unit: Unit::Bytes })
    }
}

/// Sizes by Zipf's law with exponent 1, the largest first.
fn sizes(params: &SkewedParams) -> impl Iterator<Item = u64> + use<> {
    let largest = params.largest;
    (1..=params.jobs).map(move |rank| (largest / rank).max(1))
}

impl Workload for Skewed {
    type Input = Jobs;

    fn prepare(params: &SkewedParams, _: &Site<'_>) -> io::Result<Jobs> {
        let mut units: Vec<u32> = sizes(params).map(|size| size as u32).collect();
        // Fisher and Yates: a list of jobs does not come sorted by what they will cost.
        for last in (1..units.len()).rev() {
            units.swap(last, (mix(last as u64) % (last as u64 + 1)) as usize);
        }
        Ok(Jobs { units, census: Census::new() })
    }

    fn expected(input: &Jobs) -> io::Result<Digest> {
        Ok(input.digest((0..input.len()).map(|index| input.run(index)).fold(0, u64::wrapping_add)))
    }

    fn census(input: &Jobs) -> &Census {
        &input.census
    }
}

/// The jobs to do.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Jobs {
    units: Vec<u32>,
    census: Census,
}

impl Jobs {
    /// Number of jobs; never 0.
    #[expect(clippy::len_without_is_empty, reason = "there is always a job")]
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Does job `index` on the calling thread.
    #[inline(never)]
    pub fn run(&self, index: usize) -> u64 {
        self.census.mark();
        mix(burn(index as u64, self.units[index]))
    }

    /// The answer from the sum, with wrap-around, of what all jobs returned.
    pub fn digest(&self, sum: u64) -> Digest {
        Digest::of_number(sum)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn jobs(params: &SkewedParams) -> Jobs {
        Skewed::prepare(params, &Site::alone(Path::new(""))).unwrap()
    }

    #[test]
    fn the_kth_largest_job_has_a_kth_of_the_largest() {
        let mut units = jobs(&SkewedParams { jobs: 4, largest: 12 }).units;
        units.sort_unstable();
        assert_eq!(units, [3, 4, 6, 12]);
    }

    #[test]
    fn large_jobs_are_not_all_at_one_end() {
        let units = jobs(&SkewedParams { jobs: 1_000, largest: 4_000 }).units;
        let large: Vec<_> = (0..1_000).filter(|&index| units[index] >= 200).collect();
        assert_eq!(large.len(), 20);
        assert!(large.iter().any(|&index| index < 500) && large.iter().any(|&index| index >= 500));
    }

    #[test]
    fn the_limit_knows_the_largest_job_and_all_jobs() {
        let limit = Skewed::limit(&SkewedParams { jobs: 3, largest: 6 });
        assert_eq!(limit, Limit::SequentialOrLargest { largest: 6, all: 11 });
    }

    #[test]
    fn a_job_left_out_changes_the_answer() {
        let jobs = jobs(&SkewedParams { jobs: 10, largest: 40 });
        let all = (0..10).map(|index| jobs.run(index)).fold(0, u64::wrapping_add);
        assert_eq!(jobs.digest(all), Skewed::expected(&jobs).unwrap());
        assert_ne!(jobs.digest(all.wrapping_sub(jobs.run(3))), jobs.digest(all));
    }
}
