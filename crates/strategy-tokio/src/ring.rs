//! `ring`: every node is a task, with a channel to the next one.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;
use worker::{How, Run};
use workloads::Digest;
use workloads::ring::{Next, Ring, RingParams, Token, Tokens};

use crate::Tokio;

impl Run<Ring> for Tokio {
    fn how(_: &RingParams) -> Option<How> {
        How::fair(
            "one spawned task per node, a tokio::sync::mpsc channel to the next",
            "https://docs.rs/tokio/latest/tokio/sync/mpsc/index.html",
        )
    }

    fn run(&self, input: &Arc<Tokens>) -> io::Result<Digest> {
        let last = self.runtime.block_on(self.runtime.spawn(go_round(Arc::clone(input))))?;
        Ok(input.digest(last))
    }
}

async fn go_round(input: Arc<Tokens>) -> Token {
    let (to_first, mut inbox) = mpsc::channel(1);
    to_first.try_send(input.start()).expect("there is room for the token");
    let mut nodes = JoinSet::new();
    for number in 0..input.nodes() - 1 {
        let (to_next, next_inbox) = mpsc::channel(1);
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
    mut inbox: Receiver<Token>,
    to_next: Sender<Token>,
) -> Option<Token> {
    while let Some(token) = inbox.recv().await {
        match input.pass(number, token) {
            Next::Pass(token) => to_next.send(token).await.ok()?,
            Next::Done(token) => return Some(token),
        }
    }
    None
}
