//! `map`: hash many equal blocks, results in order.

use std::io;
use std::ops::Range;

use crate::random::fill;
use crate::{
    Amount, Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Unit, Workload,
    params,
};

/// The workload `map`.
#[derive(Debug)]
pub struct Map;

params! {
    /// The parameters of `map`.
    pub struct MapParams {
        /// blocks to hash
        pub blocks: u64 in 1..=16_384,
        /// size of a block, KiB
        pub kib: u64 in 1..=256,
        /// blocks handed over at a time by strategies that do not split by themselves
        pub chunk: u64 in 1..=16_384,
    }
}

impl Definition for Map {
    const SPEC: Spec = Spec {
        name: "map",
        class: Class::Cpu,
        question: "How well does equal, independent CPU work spread over the cores?",
        operation: "block",
        metric: Metric::Wall,
    };
    type Params = MapParams;

    fn cases(profile: Profile) -> Vec<MapParams> {
        let blocks = match profile {
            Profile::Smoke => 64,
            // Much larger than caches: at 64 MiB, two cores that share the blocks out anew each time find some
            // of them there, and one core that reads all of them in order finds none.
            Profile::Quick | Profile::Standard | Profile::Thorough => 4_096,
        };
        vec![MapParams { blocks, kib: 64, chunk: 16 }]
    }

    fn label(_: &MapParams) -> String {
        String::new()
    }

    fn operations(params: &MapParams) -> u64 {
        params.blocks
    }

    fn limit(_: &MapParams) -> Limit {
        Limit::SequentialOverWorkers
    }

    fn amount(params: &MapParams) -> Option<Amount> {
        Some(Amount { count: params.blocks * params.kib * 1_024, unit: Unit::Bytes })
    }
}

impl Workload for Map {
    type Input = Blocks;

    fn prepare(params: &MapParams, _: &Site<'_>) -> io::Result<Blocks> {
        let size = params.kib as usize * 1024;
        let mut bytes = vec![0; params.blocks as usize * size];
        fill(&mut bytes, 0);
        Ok(Blocks { bytes, size, chunk: params.chunk as usize, census: Census::new() })
    }

    fn expected(input: &Blocks) -> io::Result<Digest> {
        Ok(input.digest((0..input.len()).map(|index| input.hash(index))))
    }

    fn census(input: &Blocks) -> &Census {
        &input.census
    }
}

/// The blocks to hash.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Blocks {
    bytes: Vec<u8>,
    size: usize,
    chunk: usize,
    census: Census,
}

impl Blocks {
    /// Number of blocks; never 0.
    #[expect(clippy::len_without_is_empty, reason = "there is always a block")]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// The blocks cut into pieces of equal length but for the last.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        let (len, chunk) = (self.len(), self.chunk);
        (0..len.div_ceil(chunk)).map(move |piece| piece * chunk..len.min((piece + 1) * chunk))
    }

    /// Hashes block `index` on the calling thread.
    #[inline(never)]
    pub fn hash(&self, index: usize) -> u64 {
        self.census.mark();
        crate::digest_of_bytes(&self.bytes[index * self.size..][..self.size]).as_u64()
    }

    /// Hashes the blocks of one chunk.
    pub fn hash_chunk(&self, chunk: Range<usize>) -> Vec<u64> {
        chunk.map(|index| self.hash(index)).collect()
    }

    /// The answer: all hashes in the order of the blocks.
    pub fn digest(&self, hashes: impl IntoIterator<Item = u64>) -> Digest {
        Digest::of_ordered(hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    #[test]
    fn chunks_cover_every_block_once_in_order() {
        for (blocks, chunk) in [(1, 1), (10, 3), (9, 3), (3, 10)] {
            let params = MapParams { blocks, kib: 1, chunk };
            let input = Map::prepare(&params, &Site::alone(Path::new(""))).unwrap();
            let covered: Vec<_> = input.chunks().flatten().collect();
            assert_eq!(covered, (0..blocks as usize).collect::<Vec<_>>());
        }
    }

    #[test]
    fn blocks_differ_from_each_other() {
        let input =
            Map::prepare(&MapParams { blocks: 2, kib: 1, chunk: 1 }, &Site::alone(Path::new("")))
                .unwrap();
        assert_ne!(input.hash(0), input.hash(1));
    }
}
