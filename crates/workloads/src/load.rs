//! What a load generator does with a service: plain data, made from a service's parameters.

use std::time::Duration;

use crate::Digest;
use crate::echo::EchoParams;
use crate::random::mix;
use crate::service::Work;

/// What is sent to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Messages that come back, in a closed loop.
    Echo(EchoParams),
    /// HTTP requests.
    Http(HttpLoad),
}

impl Load {
    /// Connections kept open.
    pub fn connections(&self) -> usize {
        match self {
            Load::Echo(params) => params.connections as usize,
            Load::Http(load) => load.connections,
        }
    }
}

/// HTTP requests over a fixed number of connections, one at a time on each.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpLoad {
    /// Connections kept open.
    pub connections: usize,
    /// When requests are sent.
    pub pace: Pace,
    /// What they ask for.
    pub mix: Vec<Share>,
    /// The class whose latencies count; `None` for all of them.
    pub counted: Option<usize>,
    /// Seed of the schedule and of the order of the classes.
    pub seed: u64,
    /// How late at p99 requests may leave in an open loop, whatever the latency: a tenth of that is allowed
    /// in any case.
    pub slack: Duration,
    /// Time that a unit of computing is taken for, nanoseconds; 0 if the parameters do not say.
    pub unit_ns: u64,
}

/// The slack where latencies count: what waking up a thread may take.
pub const WAKE_UP: Duration = Duration::from_micros(100);

/// A class of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// How many of a thousand requests are of this class.
    pub per_mille: u32,
    /// What they ask for.
    pub work: Work,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// On every connection the next when the last has been answered.
    Closed {
        /// Requests in all.
        requests: u64,
    },
    /// One on every connection at the same moment.
    Burst,
    /// At the times of a seeded Poisson process, whatever the server does.
    Open {
        /// Requests a second.
        rate: f64,
        /// Requests in all.
        requests: u64,
    },
    /// A search for the highest rate that is served in time.
    Capacity {
        /// p99 that a rate must keep to.
        target: Duration,
        /// Length of one step of the search.
        step: Duration,
    },
}

/// Different seeds that a class of requests is sent with at most, so that every right answer can be known
/// beforehand.
pub const SEEDS: u64 = 8;
/// Units of computing beyond which a class has fewer of them: the answers are computed before each window.
const UNITS_FOR_ALL_SEEDS: u64 = 10_000;

impl HttpLoad {
    /// A load in which all latencies count, and the parameters do not say what a unit of computing takes.
    pub fn new(connections: usize, pace: Pace, mix: Vec<Share>) -> Self {
        HttpLoad { connections, pace, mix, counted: None, seed: 1, slack: WAKE_UP, unit_ns: 0 }
    }

    /// The requests of a window of so many, in order. Each class has its share to the nearest whole request, and
    /// their order is random: of all orders with these numbers each is as likely. `turn` tells windows of one
    /// process apart whose order is not to be the same.
    pub fn sequence(&self, requests: u64, turn: u64) -> Sequence {
        let seed = mix(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ mix(turn));
        let counts = apportion(&self.per_mille(), requests, seed);
        let of_class = |(class, &count): (usize, &u64)| (0..count).map(move |_| class as u8);
        let mut classes: Vec<u8> = counts.iter().enumerate().flat_map(of_class).collect();
        for last in (1..classes.len()).rev() {
            let other = mix(seed.wrapping_add(last as u64)) % (last as u64 + 1);
            classes.swap(last, other as usize);
        }
        let seeds = (0..self.mix.len()).map(|class| self.seeds(class)).collect();
        Sequence { classes, seeds, seed }
    }

    /// The shares of the classes.
    pub fn per_mille(&self) -> Vec<u32> {
        self.mix.iter().map(|share| share.per_mille).collect()
    }

    /// What a request of a class computes as described, nanoseconds; 0 where the time of a unit is not known.
    pub fn cpu_ns(&self, class: usize) -> u64 {
        u64::from(self.mix[class].work.units) * self.unit_ns
    }

    /// The mean over all requests, by the shares of their classes, of what `of` says of a class.
    pub fn mean(&self, of: impl Fn(usize) -> f64) -> f64 {
        let all: u32 = self.mix.iter().map(|share| share.per_mille).sum();
        let weighed = |class: usize| f64::from(self.mix[class].per_mille) * of(class);
        (0..self.mix.len()).map(weighed).sum::<f64>() / f64::from(all.max(1))
    }

    /// With how many seeds a class is sent.
    pub fn seeds(&self, class: usize) -> u64 {
        let units = u64::from(self.mix[class].work.units).max(UNITS_FOR_ALL_SEEDS);
        (SEEDS * UNITS_FOR_ALL_SEEDS / units).max(1)
    }

    /// What class `class` asks for with that seed.
    pub fn work(&self, class: usize, seed: u64) -> Work {
        Work { seed, ..self.mix[class].work }
    }

    /// Requests in one run; `None` where the pace does not say.
    pub fn requests(&self) -> Option<u64> {
        match self.pace {
            Pace::Closed { requests } | Pace::Open { requests, .. } => Some(requests),
            Pace::Burst => Some(self.connections as u64),
            Pace::Capacity { .. } => None,
        }
    }

    /// The digest over all answers when every one is right; over one of each class and seed where the
    /// number of requests is not known beforehand.
    pub fn expected(&self) -> Digest {
        let answers: Vec<Vec<u64>> = (0..self.mix.len())
            .map(|class| {
                (0..self.seeds(class)).map(|seed| self.work(class, seed).compute()).collect()
            })
            .collect();
        let mut all = AnswerDigest::default();
        match self.requests() {
            Some(requests) => {
                let sequence = self.sequence(requests, 0);
                (0..requests).for_each(|index| {
                    let (class, seed) = sequence.request(index);
                    all.add(index, answers[class][seed as usize]);
                });
            }
            None => answers
                .iter()
                .flatten()
                .zip(0..)
                .for_each(|(answer, index)| all.add(index, *answer)),
        }
        all.finish()
    }
}

/// The requests of one window, in the order in which they are due.
#[derive(Debug, Clone)]
pub struct Sequence {
    classes: Vec<u8>,
    /// With how many seeds each class is sent.
    seeds: Vec<u64>,
    seed: u64,
}

impl Sequence {
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

/// Digest over answers that may arrive in any order.
#[derive(Debug, Default, Clone, Copy)]
pub struct AnswerDigest(u64);

impl AnswerDigest {
    /// Takes in the answer to request `index`.
    pub fn add(&mut self, index: u64, answer: u64) {
        self.0 = self.0.wrapping_add(mix(mix(index) ^ answer));
    }

    /// The digest over all that were taken in.
    pub fn finish(self) -> Digest {
        Digest::of_number(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> HttpLoad {
        let class = |per_mille, units| Share { per_mille, work: Work { units, ..Work::default() } };
        let pace = Pace::Closed { requests: 10_000 };
        HttpLoad { seed: 7, ..HttpLoad::new(3, pace, vec![class(950, 0), class(50, 1)]) }
    }

    /// Loads with up to eight classes of random shares.
    fn random_loads() -> impl Iterator<Item = HttpLoad> {
        (0..200_u64).map(|number| {
            let random = |salt: u64| mix(mix(number) ^ salt);
            let classes = 1 + random(1) % 8;
            let mut left = 1_000;
            let mut shares: Vec<u32> = (1..classes)
                .map(|class| {
                    // Rare ones as often as frequent ones.
                    let most = (left - (classes - class) as u32).min(1 << (random(class) % 10));
                    let share = 1 + (random(100 + class) % u64::from(most)) as u32;
                    left -= share;
                    share
                })
                .collect();
            shares.push(left);
            let share = |(class, per_mille): (u64, u32)| Share {
                per_mille,
                work: Work { units: (random(200 + class) % 200_000) as u32, ..Work::default() },
            };
            HttpLoad {
                mix: (0..).zip(shares).map(share).collect(),
                seed: number,
                unit_ns: 900,
                ..load()
            }
        })
    }

    #[test]
    fn every_class_has_its_share_to_less_than_a_request_in_every_window() {
        for load in random_loads() {
            for requests in [1, 7, 60, 500, 999, 1_000, 3_217] {
                let sequence = load.sequence(requests, requests % 3);
                let mut counts = vec![0_u64; load.mix.len()];
                (0..requests).for_each(|index| counts[sequence.request(index).0] += 1);
                for (share, count) in load.mix.iter().zip(&counts) {
                    let exact = f64::from(share.per_mille) * requests as f64 / 1_000.0;
                    let off = (*count as f64 - exact).abs();
                    assert!(off < 1.0, "{count} of {requests} where {exact} are described");
                }
                let cpu = |class| load.cpu_ns(class) as f64;
                let sent: f64 = (0..).zip(&counts).map(|(class, n)| cpu(class) * *n as f64).sum();
                let described = load.mean(cpu);
                let bound: f64 = (0..load.mix.len()).map(cpu).sum::<f64>() / requests as f64;
                assert!((sent / requests as f64 - described).abs() <= bound);
                if requests == 1_000 {
                    assert!((sent / requests as f64 / described - 1.0).abs() < 1e-9 || sent == 0.0);
                }
            }
        }
    }

    #[test]
    fn a_rare_class_comes_as_often_in_each_part_of_a_window() {
        // One request of a hundred: over a thousand seeds, a hundred times in each tenth of the window.
        let mut load = load();
        (load.mix[0].per_mille, load.mix[1].per_mille) = (990, 10);
        let mut tenths = [0; 10];
        for seed in 0..1_000 {
            load.seed = seed;
            let sequence = load.sequence(100, 0);
            let place = (0..100).find(|&index| sequence.request(index).0 == 1).unwrap();
            tenths[place as usize / 10] += 1;
        }
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_number_of_requests_closest_to_the_shares_is_whole_where_that_is_near() {
        assert_eq!(closest_to_shares(&[999, 1], 500), 1_000);
        assert_eq!(closest_to_shares(&[950, 50], 487), 500);
        assert_eq!(closest_to_shares(&[1_000], 487), 487);
        assert_eq!(closest_to_shares(&[999, 1], 2_001), 3_000);
        assert_eq!(closest_to_shares(&[999, 1], 0), 1, "nothing near is whole");
    }

    #[test]
    fn the_order_of_the_classes_follows_from_the_seed_and_the_turn() {
        let load = load();
        let order = |load: &HttpLoad, turn| -> Vec<_> {
            let sequence = load.sequence(1_000, turn);
            (0..1_000).map(|index| sequence.request(index)).collect()
        };
        assert_eq!(order(&load, 0), order(&load, 0));
        assert_ne!(order(&load, 0), order(&load, 1));
        assert_ne!(order(&load, 0), order(&HttpLoad { seed: 8, ..load.clone() }, 0));
        let sequence = load.sequence(1_000, 0);
        assert_eq!(sequence.request(1_003).0, sequence.request(3).0, "it begins anew");
    }

    #[test]
    fn a_class_that_computes_for_long_has_few_seeds_and_any_other_all() {
        let mut load = load();
        load.mix[1].work.units = 1_000_000;
        assert_eq!((load.seeds(0), load.seeds(1)), (SEEDS, 1));
        let sequence = load.sequence(1_000, 0);
        let seeds = |class| (0..1_000).map(|i| sequence.request(i)).filter(move |r| r.0 == class);
        assert!(seeds(1).all(|(_, seed)| seed == 0) && seeds(0).any(|(_, seed)| seed == 7));
    }

    #[test]
    fn arrivals_have_the_mean_and_the_spread_of_a_poisson_process() {
        let due = arrivals(3, 1_000.0, 20_000);
        let gaps: Vec<_> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.97..1.03).contains(&mean), "{mean}");
        assert!((0.9..1.1).contains(&variance), "{variance}");
        assert_eq!(due, arrivals(3, 1_000.0, 20_000));
        assert_ne!(due, arrivals(4, 1_000.0, 20_000));
    }

    #[test]
    fn a_missing_a_doubled_and_a_swapped_answer_spoil_the_digest() {
        let digest = |answers: &[(u64, u64)]| {
            let mut all = AnswerDigest::default();
            answers.iter().for_each(|&(index, answer)| all.add(index, answer));
            all.finish()
        };
        let right = digest(&[(0, 5), (1, 6)]);
        assert_eq!(digest(&[(1, 6), (0, 5)]), right);
        for wrong in [&[(0, 5)][..], &[(0, 5), (1, 6), (1, 6)], &[(0, 6), (1, 5)]] {
            assert_ne!(digest(wrong), right);
        }
    }
}
