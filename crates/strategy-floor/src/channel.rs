//! `channel`: one queue, filled and drained on one thread.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::channel::{Channel, ChannelParams, Messages};

use crate::Sequential;

impl Run<Channel> for Sequential {
    fn how(_: &ChannelParams) -> How {
        How::floor(
            "a VecDeque filled to its capacity and drained, on one thread",
            "https://doc.rust-lang.org/std/collections/struct.VecDeque.html",
        )
    }

    fn run(&self, input: &Arc<Messages>) -> io::Result<Digest> {
        let mut messages = (0..input.producers()).flat_map(|producer| input.of_producer(producer));
        let mut tallies: Vec<_> = (0..input.consumers()).map(|_| input.tally()).collect();
        let mut queue = VecDeque::with_capacity(input.capacity());
        for consumer in (0..tallies.len()).cycle() {
            queue.extend(messages.by_ref().take(input.capacity()));
            if queue.is_empty() {
                break;
            }
            while let Some(message) = queue.pop_front() {
                tallies[consumer].note(message);
            }
        }
        Ok(input.digest(tallies))
    }
}
