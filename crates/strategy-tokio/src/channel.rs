//! `channel`: a task per producer and consumer around one bounded channel.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use worker::{How, Run};
use workloads::Digest;
use workloads::channel::{Channel, ChannelParams, Messages};

use crate::Tokio;

impl Run<Channel> for Tokio {
    fn how(params: &ChannelParams) -> How {
        if params.consumers == 1 {
            How::fair(
                "a bounded tokio::sync::mpsc channel",
                "https://docs.rs/tokio/latest/tokio/sync/mpsc/index.html",
            )
        } else {
            How::fair(
                "async-channel, which tokio's guide names where several tasks share the receiving",
                "https://tokio.rs/tokio/tutorial/channels",
            )
        }
    }

    fn run(&self, input: &Arc<Messages>) -> io::Result<Digest> {
        let input = Arc::clone(input);
        self.runtime.block_on(self.runtime.spawn(async move {
            match input.consumers() {
                1 => with_one_consumer(input).await,
                _ => with_many_consumers(input).await,
            }
        }))?
    }
}

async fn with_one_consumer(input: Arc<Messages>) -> io::Result<Digest> {
    let (sender, mut receiver) = mpsc::channel(input.capacity());
    for producer in 0..input.producers() {
        let (input, sender) = (Arc::clone(&input), sender.clone());
        tokio::spawn(async move {
            for message in input.of_producer(producer) {
                sender.send(message).await.expect("the consumer receives to the end");
            }
        });
    }
    drop(sender);
    let mut tally = input.tally();
    while let Some(message) = receiver.recv().await {
        tally.note(message);
    }
    Ok(input.digest([tally]))
}

async fn with_many_consumers(input: Arc<Messages>) -> io::Result<Digest> {
    let (sender, receiver) = async_channel::bounded(input.capacity());
    for producer in 0..input.producers() {
        let (input, sender) = (Arc::clone(&input), sender.clone());
        tokio::spawn(async move {
            for message in input.of_producer(producer) {
                sender.send(message).await.expect("the consumers receive to the end");
            }
        });
    }
    drop(sender);
    let mut consumers = JoinSet::new();
    for _ in 0..input.consumers() {
        let (input, receiver) = (Arc::clone(&input), receiver.clone());
        consumers.spawn(async move {
            let mut tally = input.tally();
            while let Ok(message) = receiver.recv().await {
                tally.note(message);
            }
            tally
        });
    }
    Ok(input.digest(consumers.join_all().await))
}
