//! What a request computes.

use crate::random::{fill, mix};

/// The kernel: `units` BLAKE3 hashes of a KiB, each of them input of the next. A unit takes about a
/// microsecond.
#[inline(never)]
pub fn burn(seed: u64, units: u32) -> u64 {
    if units == 0 {
        return mix(seed);
    }
    let mut block = [0; 1024];
    fill(&mut block, seed);
    let mut digest = 0;
    for _ in 0..units {
        digest = crate::digest_of_bytes(&block).as_u64();
        block[..8].copy_from_slice(&digest.to_le_bytes());
    }
    digest
}
