//! `channel`: producers and consumers share one bounded channel, each a task.

use std::io;
use std::sync::Arc;

use smol::channel;
use worker::{How, Run};
use workloads::Digest;
use workloads::channel::{Channel, ChannelParams, Messages};

use crate::{EXECUTOR, Smol};

impl Run<Channel> for Smol {
    fn how(_: &ChannelParams) -> How {
        How::fair(
            "smol::channel::bounded, which ends when all senders have been dropped",
            "https://docs.rs/smol/latest/smol/channel/fn.bounded.html",
        )
    }

    fn run(&self, input: &Arc<Messages>) -> io::Result<Digest> {
        smol::block_on(async {
            let (sender, receiver) = channel::bounded(input.capacity());
            for producer in 0..input.producers() {
                let (input, sender) = (Arc::clone(input), sender.clone());
                let produce = async move {
                    for message in input.of_producer(producer) {
                        if sender.send(message).await.is_err() {
                            return;
                        }
                    }
                };
                EXECUTOR.spawn(produce).detach();
            }
            drop(sender);
            let consumers: Vec<_> = (0..input.consumers())
                .map(|_| {
                    let (input, receiver) = (Arc::clone(input), receiver.clone());
                    EXECUTOR.spawn(async move {
                        let mut tally = input.tally();
                        while let Ok(message) = receiver.recv().await {
                            tally.note(message);
                        }
                        tally
                    })
                })
                .collect();
            let mut tallies = Vec::with_capacity(consumers.len());
            for consumer in consumers {
                tallies.push(consumer.await);
            }
            Ok(input.digest(tallies))
        })
    }
}
