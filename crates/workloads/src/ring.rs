//! `ring`: what does it cost to wake up one waiting node after the other?

use std::io;

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `ring`.
#[derive(Debug)]
pub struct Ring;

params! {
    /// The parameters of `ring`.
    pub struct RingParams {
        /// nodes in the ring
        pub nodes: u64 in 1..=10_000,
        /// times that the token is passed in one run
        pub hops: u64 in 1..=100_000_000,
    }
}

impl Definition for Ring {
    const SPEC: Spec = Spec {
        name: "ring",
        class: Class::Coordination,
        question: "What does it cost to wake up one waiting node after the other?",
        operation: "hop",
        metric: Metric::WallPerOperation,
    };
    type Params = RingParams;

    fn cases(profile: Profile) -> Vec<RingParams> {
        let hops = match profile {
            Profile::Smoke => 1_000,
            Profile::Quick => 10_000,
            Profile::Standard | Profile::Thorough => 50_000,
        };
        vec![RingParams { nodes: 500, hops }]
    }

    fn label(_: &RingParams) -> String {
        String::new()
    }

    fn operations(params: &RingParams) -> u64 {
        params.hops
    }

    fn limit(_: &RingParams) -> Limit {
        Limit::Floor
    }
}

impl Workload for Ring {
    type Input = Tokens;

    fn prepare(params: &RingParams, _: &Site<'_>) -> io::Result<Tokens> {
        Ok(Tokens { params: params.clone(), census: Census::new() })
    }

    fn expected(input: &Tokens) -> io::Result<Digest> {
        let mut token = input.start();
        for node in (0..input.nodes()).cycle() {
            match input.pass(node, token) {
                Next::Pass(next) => token = next,
                Next::Done(last) => return Ok(input.digest(last)),
            }
        }
        unreachable!("a ring has a node, and the hops come to an end")
    }

    fn census(input: &Tokens) -> &Census {
        &input.census
    }
}

/// The ring: node 0 starts with the token, and every node passes it to the one after it, the last
/// to node 0.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Tokens {
    params: RingParams,
    census: Census,
}

impl Tokens {
    /// Number of nodes; never 0.
    pub fn nodes(&self) -> usize {
        self.params.nodes as usize
    }

    /// The token as node 0 receives it first.
    pub fn start(&self) -> Token {
        Token { hops_left: self.params.hops, trail: self.params.hops }
    }

    /// What `node`, which holds the token, has to do with it.
    #[inline]
    pub fn pass(&self, node: usize, token: Token) -> Next {
        self.census.mark();
        let hops_left = token.hops_left.saturating_sub(1);
        let token = Token { hops_left, trail: mix(token.trail ^ node as u64) };
        if hops_left == 0 { Next::Done(token) } else { Next::Pass(token) }
    }

    /// The answer, from the token of the node that was [`Done`](Next::Done): that every hop went
    /// through the node whose turn it was.
    pub fn digest(&self, last: Token) -> Digest {
        Digest::of_ordered([last.hops_left, last.trail])
    }
}

/// What goes round: 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    hops_left: u64,
    /// Depends on every node that the token went through, and on their order.
    trail: u64,
}

/// What a node does with the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Pass this on to the next node.
    Pass(Token),
    /// The hops are used up: stop the ring and report this.
    Done(Token),
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn ring() -> Tokens {
        let params = RingParams { nodes: 3, hops: 7 };
        Ring::prepare(&params, &Site::alone(Path::new(""))).unwrap()
    }

    /// Lets the token go through these nodes; the digest and whether the last one was done.
    fn went_through(input: &Tokens, nodes: &[usize]) -> (Digest, bool) {
        let (mut token, mut done) = (input.start(), false);
        for &node in nodes {
            (token, done) = match input.pass(node, token) {
                Next::Pass(token) => (token, false),
                Next::Done(token) => (token, true),
            };
        }
        (input.digest(token), done)
    }

    #[test]
    fn the_token_goes_round_until_its_hops_are_used_up() {
        let input = ring();
        let expected = Ring::expected(&input).unwrap();
        assert_eq!(went_through(&input, &[0, 1, 2, 0, 1, 2, 0]), (expected, true));
    }

    #[test]
    fn a_node_skipped_swapped_or_served_twice_spoils_the_answer() {
        let input = ring();
        let expected = Ring::expected(&input).unwrap();
        let wrong: [&[usize]; 4] = [
            &[0, 1, 2, 0, 1, 2],
            &[0, 2, 1, 0, 1, 2, 0],
            &[0, 1, 2, 1, 2, 0, 1],
            &[0, 1, 2, 0, 1, 2, 0, 1],
        ];
        for nodes in wrong {
            assert_ne!(went_through(&input, nodes).0, expected, "{nodes:?}");
        }
    }
}
