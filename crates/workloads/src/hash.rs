//! Bytes reduced to a digest.

use protocol::Digest;

/// The first 64 bits of the BLAKE3 hash of `bytes`.
#[inline(never)]
pub fn digest_of_bytes(bytes: &[u8]) -> Digest {
    let hash = blake3::hash(bytes);
    let (head, _) = hash.as_bytes().split_first_chunk().expect("a BLAKE3 hash has 32 bytes");
    Digest::of_number(u64::from_le_bytes(*head))
}
