//! `ring`: one task per node, with a channel to the next.

use std::io;
use std::sync::Arc;

use async_std::channel::{self, Receiver, Sender};
use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::ring::{Next, Ring, RingParams, Token, Tokens};

use crate::AsyncStd;

impl Run<Ring> for AsyncStd {
    fn how(_: &RingParams) -> How {
        How::fair(
            "one spawned task per node, channel::bounded(1) between neighbours",
            "https://docs.rs/async-std/latest/async_std/channel/index.html",
        )
    }

    fn run(&self, input: &Arc<Tokens>) -> io::Result<Digest> {
        task::block_on(async {
            let (mut senders, receivers): (Vec<_>, Vec<_>) =
                (0..input.nodes()).map(|_| channel::bounded(1)).unzip();
            senders[0].try_send(input.start()).map_err(io::Error::other)?;
            senders.rotate_left(1);
            let tasks: Vec<_> = receivers
                .into_iter()
                .zip(senders)
                .enumerate()
                .map(|(node, (from, to))| task::spawn(pass_on(Arc::clone(input), node, from, to)))
                .collect();
            let mut last = None;
            for task in tasks {
                last = last.or(task.await);
            }
            last.map(|token| input.digest(token))
                .ok_or_else(|| io::Error::other("the token is lost"))
        })
    }
}

/// Ends with the last token, or when the node before has ended: one after the other they all do.
async fn pass_on(
    input: Arc<Tokens>,
    node: usize,
    from: Receiver<Token>,
    to: Sender<Token>,
) -> Option<Token> {
    while let Ok(token) = from.recv().await {
        match input.pass(node, token) {
            Next::Pass(next) => to.send(next).await.ok()?,
            Next::Done(last) => return Some(last),
        }
    }
    None
}
