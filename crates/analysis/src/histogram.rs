//! A histogram of latencies in few bytes: a long journal has many thousands of them.

use std::collections::BTreeMap;

/// Latencies with their counts, as differences in variable-length integers of seven bits a byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(Box<[u8]>);

impl Histogram {
    /// From pairs of nanoseconds and count, going up.
    pub fn of(pairs: &[(u64, u64)]) -> Self {
        let mut bytes = Vec::new();
        let mut last = 0;
        for &(ns, count) in pairs {
            put(&mut bytes, ns.wrapping_sub(last));
            put(&mut bytes, count);
            last = ns;
        }
        Histogram(bytes.into_boxed_slice())
    }

    /// Adds the counts to those of others; percentiles are never averaged.
    pub fn merge_into(&self, merged: &mut BTreeMap<u64, u64>) {
        let mut bytes = self.0.iter();
        let mut ns: u64 = 0;
        while let Some((difference, count)) = take(&mut bytes).zip(take(&mut bytes)) {
            ns = ns.wrapping_add(difference);
            *merged.entry(ns).or_insert(0) += count;
        }
    }
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_counts_add_up() {
        let pairs =
            [(0, 1), (127, 2), (128, 300), (5_000_000_000, u64::from(u32::MAX)), (u64::MAX, 1)];
        let histogram = Histogram::of(&pairs);
        let mut merged = BTreeMap::new();
        histogram.merge_into(&mut merged);
        assert_eq!(merged, BTreeMap::from(pairs));
        Histogram::of(&[(127, 5)]).merge_into(&mut merged);
        assert_eq!(merged[&127], 7);
        // Unsorted pairs come out as well.
        let mut merged = BTreeMap::new();
        Histogram::of(&[(9, 1), (3, 2)]).merge_into(&mut merged);
        assert_eq!(merged, BTreeMap::from([(3, 2), (9, 1)]));
    }
}
