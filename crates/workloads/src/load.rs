//! What a load generator does with a service: plain data, made from a service's parameters.

mod sequence;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::sequence::{Sequence, arrivals, closest_to_shares};
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
        let seeds = (0..self.mix.len()).map(|class| self.seeds(class)).collect();
        let seed = mix(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ mix(turn));
        Sequence::new(&self.per_mille(), seeds, requests, seed)
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
