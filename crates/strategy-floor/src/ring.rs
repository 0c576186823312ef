//! `ring`: the token goes round a list of nodes on one thread.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::ring::{Next, Ring, RingParams, Token, Tokens};

use crate::Sequential;

impl Run<Ring> for Sequential {
    fn how(_: &RingParams) -> How {
        How::floor(
            "a Vec of nodes on one thread: nobody is woken up",
            "https://doc.rust-lang.org/std/vec/struct.Vec.html",
        )
    }

    fn run(&self, input: &Arc<Tokens>) -> io::Result<Digest> {
        let mut nodes: Vec<Option<Token>> = vec![None; input.nodes()];
        nodes[0] = Some(input.start());
        let mut node = 0;
        while let Some(token) = nodes[node].take() {
            let next = if node + 1 == nodes.len() { 0 } else { node + 1 };
            match input.pass(node, token) {
                Next::Pass(token) => nodes[next] = Some(token),
                Next::Done(token) => return Ok(input.digest(token)),
            }
            node = next;
        }
        unreachable!("the token is always at the next node")
    }
}
