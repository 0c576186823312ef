//! `reduce`: add up a large array.

use std::io;

use crate::{
    Amount, Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Unit, Workload,
    params,
};

const NUMBER_BYTES: u64 = size_of::<f64>() as u64;
/// Numbers are whole and at most this, so that every partial sum of 1 GiB of them is exact: below 2⁵³.
const MAX_NUMBER: u64 = 1_023;
/// Sums kept side by side, so that one addition need not wait for the one before.
const LANES: usize = 32;

/// The workload `reduce`.
#[derive(Debug)]
pub struct Reduce;

params! {
    /// The parameters of `reduce`.
    pub struct ReduceParams {
        /// size of the array, MiB
        pub mib: u64 in 1..=1_024,
        /// part of the array handed over at a time, KiB
        pub chunk_kib: u64 in 1..=65_536,
    }
}

impl Definition for Reduce {
    const SPEC: Spec = Spec {
        name: "reduce",
        class: Class::Cpu,
        question: "How close to the memory's bandwidth does reading a large array come?",
        operation: "number",
        metric: Metric::Wall,
    };
    type Params = ReduceParams;

    fn cases(profile: Profile) -> Vec<ReduceParams> {
        let (mib, chunk_kib) = match profile {
            Profile::Smoke => (4, 256),
            _ => (256, 1_024),
        };
        vec![ReduceParams { mib, chunk_kib }]
    }

    fn label(_: &ReduceParams) -> String {
        String::new()
    }

    fn operations(params: &ReduceParams) -> u64 {
        (params.mib << 20) / NUMBER_BYTES
    }

    fn limit(_: &ReduceParams) -> Limit {
        Limit::Floor
    }

    fn amount(params: &ReduceParams) -> Option<Amount> {
        Some(Amount { count: params.mib << 20, unit: Unit::Bytes })
    }
}

impl Workload for Reduce {
    type Input = Numbers;

    fn prepare(params: &ReduceParams, _: &Site<'_>) -> io::Result<Numbers> {
        let numbers = (0..Reduce::operations(params)).map(number).collect();
        let chunk = ((params.chunk_kib << 10) / NUMBER_BYTES) as usize;
        Ok(Numbers { numbers, chunk, census: Census::new() })
    }

    fn expected(input: &Numbers) -> io::Result<Digest> {
        let sum: u64 = (0..input.numbers.len() as u64).map(|index| number(index) as u64).sum();
        Ok(input.digest(sum as f64))
    }

    fn census(input: &Numbers) -> &Census {
        &input.census
    }
}

/// The number at `index`: whole, and seldom the same as its neighbours.
fn number(index: u64) -> f64 {
    (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54 & MAX_NUMBER) as f64
}

/// The array.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Numbers {
    numbers: Vec<f64>,
    chunk: usize,
    census: Census,
}

impl Numbers {
    /// Number of chunks; never 0.
    pub fn chunks(&self) -> usize {
        self.numbers.len().div_ceil(self.chunk)
    }

    /// Adds up chunk `index` on the calling thread.
    #[inline(never)]
    pub fn sum(&self, index: usize) -> f64 {
        self.census.mark();
        let start = index * self.chunk;
        let chunk = &self.numbers[start..self.numbers.len().min(start + self.chunk)];
        let (blocks, rest) = chunk.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for block in blocks {
            for lane in 0..LANES {
                sums[lane] += block[lane];
            }
        }
        sums.iter().chain(rest).sum()
    }

    /// The answer from the sum of all numbers.
    pub fn digest(&self, sum: f64) -> Digest {
        Digest::of_number(sum.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn numbers(mib: u64, chunk_kib: u64) -> Numbers {
        Reduce::prepare(&ReduceParams { mib, chunk_kib }, &Site::alone(Path::new(""))).unwrap()
    }

    #[test]
    fn chunks_add_up_to_the_same_whatever_their_size() {
        for chunk_kib in [1, 7, 1_024, 4_096] {
            let numbers = numbers(1, chunk_kib);
            let expected = Reduce::expected(&numbers).unwrap();
            let chunks: f64 = (0..numbers.chunks()).map(|index| numbers.sum(index)).sum();
            assert_eq!(numbers.digest(chunks), expected, "chunks of {chunk_kib} KiB");
        }
    }

    #[test]
    fn numbers_are_whole_small_and_different() {
        let some: Vec<_> = (0..1_000).map(number).collect();
        assert!(some.iter().all(|n| n.fract() == 0.0 && (0.0..=1_023.0).contains(n)));
        assert!(some.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_chunk_left_out_changes_the_answer() {
        let numbers = numbers(1, 128);
        let some: f64 = (1..numbers.chunks()).map(|index| numbers.sum(index)).sum();
        assert_ne!(numbers.digest(some), Reduce::expected(&numbers).unwrap());
    }
}
