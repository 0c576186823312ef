//! Random numbers that every strategy gets alike: SplitMix64.

pub(crate) use protocol::mix;

/// Fills `bytes` with the SplitMix64 sequence of `seed` (Steele, Lea and Flood, 2014).
pub(crate) fn fill(bytes: &mut [u8], seed: u64) {
    let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95);
    for word in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        word.copy_from_slice(&mix(state).to_le_bytes()[..word.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_the_fill_is_the_published_one() {
        let mut bytes = [0; 11];
        fill(&mut bytes, 0);
        assert_eq!(bytes[..8], 0xE220_A839_7B1D_CDAF_u64.to_le_bytes());
    }
}
