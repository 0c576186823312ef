//! The answer of a run, reduced to 64 bits that can be compared and printed.

use std::fmt;
use std::ops::BitXor;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The answer of a run. Equal digests mean the same answer; written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u64);

impl Digest {
    /// An answer that is a number itself, such as a count of solutions.
    pub fn of_number(number: u64) -> Self {
        Digest(number)
    }

    /// Digest of a sequence; the order counts. A few nanoseconds a number, because strategies
    /// call it inside the clock.
    pub fn of_ordered(numbers: impl IntoIterator<Item = u64>) -> Self {
        Digest(
            numbers
                .into_iter()
                .fold(0, |state, number| mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ number)),
        )
    }

    /// The 64 bits.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

/// The output function of SplitMix64: every bit of the result depends on every bit of `z`.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Combines answers where the order does not count.
impl BitXor for Digest {
    type Output = Digest;

    fn bitxor(self, other: Digest) -> Digest {
        Digest(self.0 ^ other.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(&text, 16) {
            Ok(bits) if digits => Ok(Digest(bits)),
            _ => {
                Err(de::Error::custom(format!("a digest has 16 hexadecimal digits, not {text:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_sequence_counts_and_the_order_of_a_combination_does_not() {
        assert_ne!(Digest::of_ordered([1, 2]), Digest::of_ordered([2, 1]));
        let (a, b) = (Digest::of_number(1), Digest::of_number(2));
        assert_eq!(a ^ b, b ^ a);
    }

    #[test]
    fn json_keeps_all_64_bits_and_refuses_other_texts() {
        let digest = Digest::of_number(u64::MAX - 1);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, "\"fffffffffffffffe\"");
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"+ffffffffffffffe\"").is_err());
        assert!(serde_json::from_str::<Digest>("\"12\"").is_err());
    }
}
