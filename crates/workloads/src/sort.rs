//! `sort`: sort an array in place by recursive fork–join.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::random::mix;
use crate::{
    Amount, Census, Class, Definition, Digest, Facts, Limit, Metric, Profile, Site, Spec, Unit,
    Workload, params,
};

/// Keys looked at to choose the one by which a part is split: their median is within some per cent of
/// the part's.
const PROBES: usize = 255;
/// Keys of the sorted array in the digest, evenly spaced. The rest is checked outside the clock.
const IN_DIGEST: usize = 1_024;

/// The workload `sort`.
#[derive(Debug)]
pub struct Sort;

params! {
    /// The parameters of `sort`.
    pub struct SortParams {
        /// keys to sort
        pub n: u64 in 1..=100_000_000,
        /// keys up to which a part is sorted without forking
        pub leaf: u64 in 1..=100_000_000,
    }
}

impl Definition for Sort {
    const SPEC: Spec = Spec {
        name: "sort",
        class: Class::Cpu,
        question: "How well does recursive work on a shared array spread over the cores?",
        operation: "key",
        metric: Metric::Wall,
    };
    type Params = SortParams;

    fn cases(profile: Profile) -> Vec<SortParams> {
        let (n, leaf) = match profile {
            Profile::Smoke => (20_000, 1_000),
            Profile::Quick => (1_000_000, 32_768),
            Profile::Standard | Profile::Thorough => (4_000_000, 32_768),
        };
        vec![SortParams { n, leaf }]
    }

    fn label(_: &SortParams) -> String {
        String::new()
    }

    fn operations(params: &SortParams) -> u64 {
        params.n
    }

    fn limit(_: &SortParams) -> Limit {
        Limit::SequentialOverWorkers
    }

    fn amount(params: &SortParams) -> Option<Amount> {
        Some(Amount { count: params.n, unit: Unit::Items })
    }
}

impl Workload for Sort {
    type Input = Keys;

    fn prepare(params: &SortParams, _: &Site<'_>) -> io::Result<Keys> {
        let unsorted: Vec<u64> = (0..params.n).map(mix).collect();
        Ok(Keys {
            array: Mutex::new(Arc::new(unsorted.clone())),
            unsorted,
            leaf: params.leaf as usize,
            census: Census::new(),
        })
    }

    fn renew(input: &Keys) {
        if let Some(array) = Arc::get_mut(&mut input.array()) {
            array.copy_from_slice(&input.unsorted);
        }
    }

    fn expected(input: &Keys) -> io::Result<Digest> {
        let mut sorted = input.unsorted.clone();
        sorted.sort_unstable();
        Ok(digest(&sorted))
    }

    fn census(input: &Keys) -> &Census {
        &input.census
    }

    /// Checks the whole array: in order, and the keys that were given.
    fn facts(input: &Keys) -> Result<Facts, String> {
        let array = input.array();
        if !array.is_sorted() {
            return Err("the keys are not in order".to_owned());
        }
        let sum = |keys: &[u64]| keys.iter().copied().map(mix).fold(0, u64::wrapping_add);
        if sum(&array) != sum(&input.unsorted) {
            return Err("the keys are not those that were given".to_owned());
        }
        Ok(Facts::new())
    }
}

fn digest(sorted: &[u64]) -> Digest {
    let step = (sorted.len() / IN_DIGEST).max(1);
    Digest::of_ordered(sorted.iter().step_by(step).copied())
}

/// The keys to sort.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Keys {
    unsorted: Vec<u64>,
    /// What is sorted, a copy made outside the clock. Alone in its `Arc` unless a part is given out.
    array: Mutex<Arc<Vec<u64>>>,
    leaf: usize,
    census: Census,
}

impl Keys {
    fn array(&self) -> MutexGuard<'_, Arc<Vec<u64>>> {
        self.array.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole unsorted array.
    ///
    /// # Errors
    /// If a part of it is given out.
    pub fn take(&self) -> io::Result<Part> {
        let mut array = self.array();
        let keys =
            Arc::get_mut(&mut array).ok_or_else(|| io::Error::other("the array is taken"))?;
        let (start, len) = (NonNull::from(keys.as_mut_slice()).cast(), keys.len());
        Ok(Part { start, len, _array: Arc::clone(&array) })
    }

    /// Where to cut a part in two that can be sorted independently of each other, after moving the
    /// smaller keys to the front; `None` if it is to be sorted as a whole.
    #[inline(never)]
    pub fn split(&self, part: &mut [u64]) -> Option<usize> {
        self.census.mark();
        if part.len() <= self.leaf {
            return None;
        }
        let middle = partition(part, median_of_probes(part));
        // One side is empty only if the smallest key is a frequent one.
        (middle > 0).then_some(middle)
    }

    /// Sorts a part on the calling thread.
    #[inline(never)]
    pub fn sort(&self, part: &mut [u64]) {
        self.census.mark();
        part.sort_unstable();
    }

    /// The answer, once every part has been given back by dropping it.
    ///
    /// # Errors
    /// If a part was not given back.
    pub fn digest(&self) -> io::Result<Digest> {
        let mut array = self.array();
        let keys = Arc::get_mut(&mut array)
            .ok_or_else(|| io::Error::other("a part of the array was not given back"))?;
        Ok(digest(keys))
    }
}

fn median_of_probes(part: &[u64]) -> u64 {
    let step = (part.len() / PROBES).max(1);
    let mut probes: Vec<u64> = part.iter().step_by(step).copied().collect();
    let middle = probes.len() / 2;
    *probes.select_nth_unstable(middle).1
}

/// Moves the keys below `pivot` to the front and returns how many they are. Without a branch that depends
/// on a key (Lomuto's scheme; Peters, "Branchless Lomuto partitioning", 2023).
fn partition(part: &mut [u64], pivot: u64) -> usize {
    let mut below = 0;
    for index in 0..part.len() {
        part.swap(index, below);
        below += usize::from(part[below] < pivot);
    }
    below
}

/// A part of the array with a single owner, whether or not the rest has been given to others: what
/// `BytesMut` is for bytes. It can be sent to a task that may outlive the caller, and is given back by
/// dropping it.
pub struct Part {
    start: NonNull<u64>,
    len: usize,
    _array: Arc<Vec<u64>>,
}

#[expect(unsafe_code, reason = "a part is the only way to its keys, like a mutable slice")]
unsafe impl Send for Part {}

impl Part {
    /// The keys before `middle` and the rest.
    ///
    /// # Panics
    /// If the part has no such place.
    pub fn split_at(self, middle: usize) -> (Part, Part) {
        let mut part = self;
        let (_, right) = part.split_at_mut(middle);
        let right = Part {
            len: right.len(),
            start: NonNull::from(right).cast(),
            _array: Arc::clone(&part._array),
        };
        (Part { len: middle, ..part }, right)
    }
}

impl Deref for Part {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        #[expect(unsafe_code, reason = "the array lives, and no other part has these keys")]
        unsafe {
            slice::from_raw_parts(self.start.as_ptr(), self.len)
        }
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut [u64] {
        #[expect(unsafe_code, reason = "the array lives, and no other part has these keys")]
        unsafe {
            slice::from_raw_parts_mut(self.start.as_ptr(), self.len)
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::thread;

    use super::*;

    fn keys(n: u64, leaf: u64) -> Keys {
        Sort::prepare(&SortParams { n, leaf }, &Site::alone(Path::new(""))).unwrap()
    }

    /// Each fork on a thread of its own.
    fn sort(keys: &Keys, mut part: Part) {
        let Some(middle) = keys.split(&mut part) else { return keys.sort(&mut part) };
        let (left, right) = part.split_at(middle);
        thread::scope(|scope| {
            scope.spawn(|| sort(keys, left));
            sort(keys, right);
        });
    }

    #[test]
    fn every_size_and_leaf_ends_in_order() {
        for (n, leaf) in [(1, 1), (2, 1), (100, 1), (5_000, 100), (5_000, 10_000)] {
            let keys = keys(n, leaf);
            sort(&keys, keys.take().unwrap());
            assert_eq!(keys.digest().unwrap(), Sort::expected(&keys).unwrap(), "{n}, {leaf}");
            Sort::facts(&keys).unwrap();
            Sort::renew(&keys);
            assert!(n <= 2 || Sort::facts(&keys).is_err(), "the next run begins anew");
        }
    }

    #[test]
    fn equal_keys_come_to_an_end() {
        let keys = keys(10, 2);
        let mut same = vec![7; 1_000];
        assert_eq!(keys.split(&mut same), None);
        let mut two = [vec![7; 500], vec![9; 500]].concat();
        assert!(keys.split(&mut two).is_none_or(|middle| middle == 500));
    }

    #[test]
    fn a_split_leaves_smaller_keys_on_the_left_and_about_half_on_each_side() {
        let keys = keys(100_000, 1_000);
        let mut part = keys.take().unwrap();
        let middle = keys.split(&mut part).unwrap();
        let (left, right) = part.split_at(middle);
        assert!(left.iter().max() < right.iter().min());
        assert!((35_000..=65_000).contains(&left.len()), "{}", left.len());
        assert_eq!(left.len() + right.len(), 100_000);
    }

    #[test]
    fn there_is_one_array_and_it_has_to_come_back() {
        let keys = keys(10, 1);
        let (left, right) = keys.take().unwrap().split_at(4);
        drop(left);
        assert!(keys.take().is_err());
        assert!(keys.digest().is_err());
        drop(right);
        assert!(keys.digest().is_ok());
    }

    #[test]
    fn keys_out_of_order_and_foreign_keys_are_noticed() {
        let keys = keys(1_000, 1_000);
        assert_eq!(Sort::facts(&keys).unwrap_err(), "the keys are not in order");
        keys.take().unwrap().fill(7);
        assert_eq!(Sort::facts(&keys).unwrap_err(), "the keys are not those that were given");
    }
}
