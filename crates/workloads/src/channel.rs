//! `channel`: what does a message through a bounded channel cost?

use std::io;

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `channel`.
#[derive(Debug)]
pub struct Channel;

params! {
    /// The parameters of `channel`.
    pub struct ChannelParams {
        /// producers that share the channel
        pub producers: u64 in 1..=1_000,
        /// consumers that share the channel
        pub consumers: u64 in 1..=1_000,
        /// messages that the channel holds
        pub capacity: u64 in 1..=65_536,
        /// messages sent in one run, over all producers
        pub messages: u64 in 1..=100_000_000,
    }
}

impl Definition for Channel {
    const SPEC: Spec = Spec {
        name: "channel",
        class: Class::Coordination,
        question: "What does a message through a bounded channel cost?",
        operation: "message",
        metric: Metric::WallPerOperation,
    };
    type Params = ChannelParams;

    /// A message costs the same in a million as in fewer, so only `thorough` sends the million;
    /// with room for one message each costs a wake-up or two, and far fewer are enough.
    fn cases(profile: Profile) -> Vec<ChannelParams> {
        let (shapes, capacities, few, many): (&[(u64, u64)], &[u64], u64, u64) = match profile {
            Profile::Smoke => (&[(2, 2)], &[4], 1_000, 1_000),
            Profile::Quick => (&[(1, 1), (8, 1), (8, 8)], &[1, 64], 5_000, 40_000),
            Profile::Standard => (&[(1, 1), (8, 1), (8, 8)], &[1, 64], 20_000, 100_000),
            Profile::Thorough => (&[(1, 1), (8, 1), (8, 8)], &[1, 64], 20_000, 1_000_000),
        };
        let mut cases = Vec::new();
        for &(producers, consumers) in shapes {
            for &capacity in capacities {
                let messages = if capacity == 1 { few } else { many };
                cases.push(ChannelParams { producers, consumers, capacity, messages });
            }
        }
        if profile == Profile::Quick {
            // Room for one message is the slowest case; between two partners it says enough.
            cases.retain(|case| case.capacity > 1 || case.producers == 1);
        }
        cases
    }

    fn label(params: &ChannelParams) -> String {
        format!("{}:{},cap={}", params.producers, params.consumers, params.capacity)
    }

    fn operations(params: &ChannelParams) -> u64 {
        params.messages
    }

    fn limit(_: &ChannelParams) -> Limit {
        Limit::Floor
    }
}

impl Workload for Channel {
    type Input = Messages;

    fn prepare(params: &ChannelParams, _: &Site<'_>) -> io::Result<Messages> {
        Ok(Messages { params: params.clone(), census: Census::new() })
    }

    fn expected(input: &Messages) -> io::Result<Digest> {
        // One consumer may receive everything, as long as all of them report.
        let mut first = input.tally();
        let all = (0..input.producers()).flat_map(|producer| input.of_producer(producer));
        all.for_each(|message| first.note(message));
        let others = (1..input.consumers()).map(|_| input.tally());
        Ok(input.digest(others.chain([first])))
    }

    fn census(input: &Messages) -> &Census {
        &input.census
    }
}

/// The messages to be sent, and who sends and receives them.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Messages {
    params: ChannelParams,
    census: Census,
}

impl Messages {
    /// Number of producers.
    pub fn producers(&self) -> usize {
        self.params.producers as usize
    }

    /// Number of consumers. Each keeps a [`tally`](Self::tally), even if it receives nothing.
    pub fn consumers(&self) -> usize {
        self.params.consumers as usize
    }

    /// Messages that the channel holds.
    pub fn capacity(&self) -> usize {
        self.params.capacity as usize
    }

    /// What `producer` sends, in this order. Call it where the producer runs.
    pub fn of_producer(&self, producer: usize) -> impl Iterator<Item = Message> + use<> {
        self.census.mark();
        let (producer, producers) = (producer as u64, self.params.producers);
        let more = u64::from(producer < self.params.messages % producers);
        let count = self.params.messages / producers + more;
        (0..count).map(move |sequence| Message(producer << SEQUENCE_BITS | sequence))
    }

    /// The tally of a consumer that has received nothing. Call it where the consumer runs.
    pub fn tally(&self) -> Tally {
        self.census.mark();
        Tally { next: vec![Next(0); self.producers()], sum: 0, count: 0, disorder: false }
    }

    /// The answer, from the tallies of all consumers: that every message arrived once, and that no
    /// consumer received a producer's messages in another order than they were sent in.
    pub fn digest(&self, tallies: impl IntoIterator<Item = Tally>) -> Digest {
        let (mut consumers, mut count, mut sum, mut disorder) = (0, 0, 0_u64, false);
        for tally in tallies {
            consumers += 1;
            count += tally.count;
            sum = sum.wrapping_add(tally.sum);
            disorder |= tally.disorder;
        }
        Digest::of_ordered([consumers, count, sum, u64::from(disorder)])
    }
}

/// Bits of a message that count the producer's messages; those above name the producer.
const SEQUENCE_BITS: u32 = 48;

/// What goes through the channel: 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message(u64);

/// What one consumer has received.
#[derive(Debug)]
#[repr(align(128))] // consumers side by side do not write to each other's cache lines
pub struct Tally {
    next: Vec<Next>,
    sum: u64,
    count: u64,
    disorder: bool,
}

/// The lowest sequence number that may come next from a producer.
#[derive(Debug, Clone, Copy)]
#[repr(align(128))] // so that no consumer's list shares a cache line with another's
struct Next(u64);

impl Tally {
    /// Notes a message that arrived. Called for every message, it costs a few nanoseconds.
    #[inline]
    pub fn note(&mut self, message: Message) {
        let sequence = message.0 & ((1 << SEQUENCE_BITS) - 1);
        let next = &mut self.next[(message.0 >> SEQUENCE_BITS) as usize].0;
        self.disorder |= sequence < *next;
        *next = sequence + 1;
        // Mixed, so that a message lost and another received twice do not make up for each other.
        self.sum = self.sum.wrapping_add(mix(message.0));
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn messages() -> Messages {
        let params = ChannelParams { producers: 3, consumers: 2, capacity: 1, messages: 10 };
        Channel::prepare(&params, &Site::alone(Path::new(""))).unwrap()
    }

    /// What the digest becomes when the first consumer receives `first` and the second the rest.
    fn received(input: &Messages, first: &[Message], second: &[Message]) -> Digest {
        input.digest([first, second].map(|received| {
            let mut tally = input.tally();
            received.iter().for_each(|&message| tally.note(message));
            tally
        }))
    }

    #[test]
    fn it_does_not_matter_which_consumer_receives_what_nor_how_producers_interleave() {
        let input = messages();
        let expected = Channel::expected(&input).unwrap();
        let all: Vec<_> = (0..3).flat_map(|producer| input.of_producer(producer)).collect();
        assert_eq!(all.len(), 10);
        let (odd, even): (Vec<_>, Vec<_>) = all.iter().partition(|message| message.0 % 2 == 1);
        assert_eq!(received(&input, &odd, &even), expected);
        assert_eq!(received(&input, &all[4..], &all[..4]), expected);
    }

    #[test]
    fn messages_swapped_lost_or_received_twice_spoil_the_answer() {
        let input = messages();
        let expected = Channel::expected(&input).unwrap();
        let all: Vec<_> = (0..3).flat_map(|producer| input.of_producer(producer)).collect();
        let mut swapped = all.clone();
        swapped.swap(1, 2);
        assert_ne!(received(&input, &swapped, &[]), expected);
        assert_ne!(received(&input, &all[1..], &[]), expected);
        assert_ne!(received(&input, &all, &all[..1]), expected);
        // The first producer's second and third twice, in place of its first and fourth: that
        // leaves the count, and the sum of the numbers, as they should be.
        let instead = [&all[1..3], &all[4..]].concat();
        assert_ne!(received(&input, &instead, &all[1..3]), expected);
    }

    #[test]
    fn a_consumer_left_out_spoils_the_answer() {
        let input = messages();
        let mut tally = input.tally();
        (0..3).flat_map(|producer| input.of_producer(producer)).for_each(|m| tally.note(m));
        assert_ne!(input.digest([tally]), Channel::expected(&input).unwrap());
    }

    #[test]
    fn the_quick_profile_leaves_out_the_slowest_shapes() {
        let labels = |profile| -> Vec<String> {
            Channel::cases(profile).iter().map(Channel::label).collect()
        };
        let quick = ["1:1,cap=1", "1:1,cap=64", "8:1,cap=64", "8:8,cap=64"];
        assert_eq!(labels(Profile::Quick), quick);
        assert_eq!(labels(Profile::Standard).len(), 6);
        assert_eq!(labels(Profile::Smoke), ["2:2,cap=4"]);
    }
}
