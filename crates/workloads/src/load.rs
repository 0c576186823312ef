//! What a load generator does with a service: plain data, made from a service's parameters.

use std::time::Duration;

use crate::Digest;
use crate::echo::EchoParams;
use crate::map::mix;
use crate::request::Work;

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
    /// The class and the seed of request `index`.
    pub fn request(&self, index: u64) -> (usize, u64) {
        let random = mix(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index));
        let mut point = (random % 1_000) as u32;
        let class = self.mix.iter().position(|share| {
            let inside = point < share.per_mille;
            point = point.saturating_sub(share.per_mille);
            inside
        });
        let class = class.unwrap_or(0);
        (class, (random >> 32) % self.seeds(class))
    }

    /// How many requests there are at least, the first ones, if every class is to come among the first half
    /// of them: of fewer it does not show what a rare class does to the others.
    pub fn requests_with_every_class(&self) -> u64 {
        let mut missing: Vec<_> =
            (0..self.mix.len()).filter(|&class| self.mix[class].per_mille > 0).collect();
        let mut index = 0;
        while !missing.is_empty() {
            let class = self.request(index).0;
            missing.retain(|&other| other != class);
            index += 1;
        }
        2 * index
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
            Some(requests) => (0..requests).for_each(|index| {
                let (class, seed) = self.request(index);
                all.add(index, answers[class][seed as usize]);
            }),
            None => answers
                .iter()
                .flatten()
                .zip(0..)
                .for_each(|(answer, index)| all.add(index, *answer)),
        }
        all.finish()
    }
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
        HttpLoad {
            connections: 3,
            pace: Pace::Closed { requests: 10_000 },
            mix: vec![class(950, 0), class(50, 1)],
            counted: None,
            seed: 7,
            slack: WAKE_UP,
        }
    }

    #[test]
    fn every_class_is_in_the_first_half_of_so_many_requests_that_each_comes() {
        let mut load = load();
        let requests = load.requests_with_every_class();
        assert!((0..requests / 2).any(|index| load.request(index).0 == 1));
        assert!((0..requests / 2 - 1).all(|index| load.request(index).0 == 0), "and no more");
        load.mix[0].per_mille = 1_000;
        load.mix[1].per_mille = 0;
        assert_eq!(load.requests_with_every_class(), 2, "a class without a share never comes");
    }

    #[test]
    fn classes_come_in_their_shares_and_in_the_same_order_for_the_same_seed() {
        let load = load();
        let heavy = (0..10_000).filter(|&index| load.request(index).0 == 1).count();
        assert!((400..600).contains(&heavy), "{heavy}");
        let other = HttpLoad { seed: 8, ..load.clone() };
        assert!((0..100).any(|index| load.request(index) != other.request(index)));
    }

    #[test]
    fn a_class_that_computes_for_long_has_few_seeds_and_any_other_all() {
        let mut load = load();
        load.mix[1].work.units = 1_000_000;
        assert_eq!((load.seeds(0), load.seeds(1)), (SEEDS, 1));
        let seeds =
            |class| (0..1_000).map(|index| load.request(index)).filter(move |r| r.0 == class);
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
