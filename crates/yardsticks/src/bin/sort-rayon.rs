//! What does it cost to sort an array on rayon? Quicksort by recursive `join`, as rayon's own demo does
//! it, with the standard library's sort at the leaves.
//!
//! `cargo run --release -p yardsticks --bin sort-rayon -- 4000000 32768`, with the numbers of keys and
//! of those up to which a part is sorted alone.

use std::env;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

const THREADS: usize = 2;
const RUNS: usize = 21;

fn main() {
    let argument = |place, default| {
        env::args().nth(place).map_or(default, |word| word.parse().expect("give numbers"))
    };
    let (n, leaf) = (argument(1, 4_000_000), argument(2, 32_768));
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads can start");
    let unsorted = random_keys(n);
    let mut us: Vec<_> = (0..=RUNS)
        .map(|_| time(&pool, unsorted.clone(), leaf).as_micros())
        .skip(1) // the warm-up
        .collect();
    us.sort_unstable();
    println!("{n} keys: best {} µs, median {} µs", us[0], us[RUNS / 2]);
}

/// The numbers of Vigna's SplitMix64.
fn random_keys(n: usize) -> Vec<u64> {
    let mut state = 0_u64;
    let next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    };
    std::iter::repeat_with(next).take(n).collect()
}

fn time(pool: &ThreadPool, mut keys: Vec<u64>, leaf: usize) -> Duration {
    let start = Instant::now();
    pool.install(|| quicksort(&mut keys, leaf));
    let elapsed = start.elapsed();
    assert!(keys.is_sorted());
    elapsed
}

fn quicksort(keys: &mut [u64], leaf: usize) {
    if keys.len() <= leaf {
        return keys.sort_unstable();
    }
    let middle = partition(keys);
    let (left, right) = keys.split_at_mut(middle);
    // The pivot is where it belongs.
    rayon::join(|| quicksort(left, leaf), || quicksort(&mut right[1..], leaf));
}

/// Moves the keys below a pivot to the front, the pivot behind them, and says where that is.
fn partition(keys: &mut [u64]) -> usize {
    let last = keys.len() - 1;
    let mut probes: [usize; 101] = std::array::from_fn(|probe| probe * last / 100);
    probes.sort_unstable_by_key(|&probe| keys[probe]);
    keys.swap(probes[50], last);
    let pivot = keys[last];
    let mut below = 0;
    for index in 0..last {
        keys.swap(index, below);
        below += usize::from(keys[below] < pivot); // no branch that could be predicted wrongly
    }
    keys.swap(below, last);
    below
}
