//! Which requests a window holds, in which order, and when each is due.

use crate::random::mix;

/// The requests of one window, in the order in which they are due.
#[derive(Debug, Clone)]
pub struct Sequence {
    classes: Vec<u8>,
    /// With how many seeds each class is sent.
    seeds: Vec<u64>,
    seed: u64,
}

impl Sequence {
    /// So many requests of classes with these shares and numbers of seeds.
    pub(super) fn new(per_mille: &[u32], seeds: Vec<u64>, requests: u64, seed: u64) -> Self {
        let counts = apportion(per_mille, requests, seed);
        let of_class = |(class, &count): (usize, &u64)| (0..count).map(move |_| class as u8);
        let mut classes: Vec<u8> = counts.iter().enumerate().flat_map(of_class).collect();
        for last in (1..classes.len()).rev() {
            let other = mix(seed.wrapping_add(last as u64)) % (last as u64 + 1);
            classes.swap(last, other as usize);
        }
        Sequence { classes, seeds, seed }
    }

    /// The class and the seed of request `index`. After the last one they begin anew, for loops that have no
    /// end but a time.
    pub fn request(&self, index: u64) -> (usize, u64) {
        let class = usize::from(self.classes[index as usize % self.classes.len()]);
        (class, (mix(self.seed.wrapping_add(index)) >> 32) % self.seeds[class])
    }
}

/// How many of `requests` are of each class, by the method of largest remainders: every number is less than
/// one off its share. Equal remainders are told apart by the seed.
fn apportion(per_mille: &[u32], requests: u64, seed: u64) -> Vec<u64> {
    let all: u64 = per_mille.iter().copied().map(u64::from).sum::<u64>().max(1);
    let exact: Vec<_> = per_mille.iter().map(|&share| u64::from(share) * requests).collect();
    let mut counts: Vec<_> = exact.iter().map(|exact| exact / all).collect();
    let mut order: Vec<_> = (0..counts.len()).collect();
    order.sort_by_key(|&class| (std::cmp::Reverse(exact[class] % all), mix(seed ^ class as u64)));
    let missing = requests - counts.iter().sum::<u64>();
    order.iter().take(missing as usize).for_each(|&class| counts[class] += 1);
    counts
}

/// The number of requests, from `least` to twice as many, in which the rarest class comes closest to its share;
/// the smallest such number. A multiple of 1,000 always has each share exactly.
pub fn closest_to_shares(per_mille: &[u32], least: u64) -> u64 {
    let off = |requests: u64| {
        let of_class = |&share: &u32| {
            let exact = f64::from(share) * requests as f64 / 1_000.0;
            (exact.round() - exact).abs() / exact
        };
        per_mille.iter().filter(|share| **share > 0).map(of_class).fold(0.0, f64::max)
    };
    let least = least.max(1);
    (least..=least + least.min(1_000))
        .min_by(|a, b| off(*a).total_cmp(&off(*b)))
        .expect("there is one number at least")
}

/// When each of `requests` is due, in nanoseconds from the start: the arrivals of a seeded Poisson
/// process with `rate` a second.
pub fn arrivals(seed: u64, rate: f64, requests: u64) -> Vec<u64> {
    let mean_ns = 1e9 / rate;
    let mut at = 0.0;
    (0..requests)
        .map(|index| {
            let random = mix(mix(seed ^ 0x5851_F42D_4C95_7F2D).wrapping_add(index));
            // In (0, 1], so that its logarithm is finite.
            let uniform = ((random >> 11) + 1) as f64 / (1_u64 << 53) as f64;
            at -= mean_ns * uniform.ln();
            at as u64
        })
        .collect()
}
