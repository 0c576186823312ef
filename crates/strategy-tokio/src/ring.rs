//! `ring`: every node is a task, with a channel to the next one.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use worker::{How, Run};
use workloads::Digest;
use workloads::ring::{Next, Ring, RingParams, Token, Tokens};

use crate::Tokio;

impl Run<Ring> for Tokio {
    fn how(_: &RingParams) -> How {
        How::fair(
            "one spawned task per node, an unbounded tokio::sync::mpsc channel to the next: one token is all \
             that it ever holds",
            "https://docs.rs/tokio/latest/tokio/sync/mpsc/fn.unbounded_channel.html",
        )
    }

    fn run(&self, input: &Arc<Tokens>) -> io::Result<Digest> {
        let last = self.runtime.block_on(self.runtime.spawn(go_round(Arc::clone(input))))?;
        Ok(input.digest(last))
    }
}

async fn go_round(input: Arc<Tokens>) -> Token {
    let (to_first, mut inbox) = unbounded_channel();
    to_first.send(input.start()).expect("the inbox is open");
    let mut nodes = JoinSet::new();
    for number in 0..input.nodes() - 1 {
        let (to_next, next_inbox) = unbounded_channel();
        nodes.spawn(node(Arc::clone(&input), number, inbox, to_next));
        inbox = next_inbox;
    }
    nodes.spawn(node(Arc::clone(&input), input.nodes() - 1, inbox, to_first));
    let ended = nodes.join_all().await;
    ended.into_iter().flatten().next().expect("the hops come to an end")
}

/// Ends when the hops are used up or the node before it has ended, and so all of them end.
async fn node(
    input: Arc<Tokens>,
    number: usize,
    mut inbox: UnboundedReceiver<Token>,
    to_next: UnboundedSender<Token>,
) -> Option<Token> {
    while let Some(token) = inbox.recv().await {
        match input.pass(number, token) {
            Next::Pass(token) => to_next.send(token).ok()?,
            Next::Done(token) => return Some(token),
        }
    }
    None
}
