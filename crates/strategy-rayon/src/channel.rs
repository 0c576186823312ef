//! `channel`: a job per producer and consumer, in a pool with a thread for each.

use std::io;
use std::sync::Arc;

use crossbeam::channel::bounded;
use worker::{How, Run};
use workloads::Digest;
use workloads::channel::{Channel, ChannelParams, Messages};

use crate::{Rayon, within_max_pool};

impl Run<Channel> for Rayon {
    fn how(params: &ChannelParams) -> How {
        within_max_pool(
            params.producers + params.consumers,
            How::off_label(
                "crossbeam's channel between jobs that block, in a pool with a thread for each; \
                 rayon has no channel, and in a smaller pool they might wait for each other forever",
                "https://docs.rs/rayon/latest/rayon/fn.join.html#warning-about-blocking-io",
            ),
        )
    }

    fn ready(&self, input: &Arc<Messages>) -> io::Result<()> {
        self.build_waiting(input.producers() + input.consumers())
    }

    fn run(&self, input: &Arc<Messages>) -> io::Result<Digest> {
        let (sender, receiver) = bounded(input.capacity());
        let mut tallies: Vec<_> = (0..input.consumers()).map(|_| None).collect();
        self.waiting()?.in_place_scope(|scope| {
            for tally in &mut tallies {
                let receiver = receiver.clone();
                scope.spawn(move |_| {
                    let tally = tally.insert(input.tally());
                    receiver.iter().for_each(|message| tally.note(message));
                });
            }
            for producer in 0..input.producers() {
                let sender = sender.clone();
                scope.spawn(move |_| {
                    let mut messages = input.of_producer(producer);
                    // Fails when every consumer has gone, which ends the producers too.
                    let _ = messages.try_for_each(|message| sender.send(message));
                });
            }
            drop((sender, receiver));
        });
        Ok(input.digest(tallies.into_iter().flatten()))
    }
}
