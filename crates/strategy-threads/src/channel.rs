//! `channel`: a thread per producer and per consumer around a crossbeam channel.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam::channel;
use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::channel::{Channel, ChannelParams, Messages};

use crate::Threads;

impl Run<Channel> for Threads {
    fn how(_: &ChannelParams) -> How {
        How::fair(
            "one scoped thread per producer and per consumer, a bounded crossbeam channel",
            "https://docs.rs/crossbeam/latest/crossbeam/channel/fn.bounded.html",
        )
    }

    fn ready(&self, input: &Arc<Messages>) -> io::Result<()> {
        check_threads((input.producers() + input.consumers()) as u64)
    }

    fn run(&self, input: &Arc<Messages>) -> io::Result<Digest> {
        thread::scope(|scope| {
            let (sender, receiver) = channel::bounded(input.capacity());
            for producer in 0..input.producers() {
                let sender = sender.clone();
                thread::Builder::new().spawn_scoped(scope, move || {
                    input.of_producer(producer).try_for_each(|message| sender.send(message))
                })?;
            }
            drop(sender);
            let consumers: Vec<_> = (0..input.consumers())
                .map(|_| {
                    let receiver = receiver.clone();
                    thread::Builder::new().spawn_scoped(scope, move || {
                        let mut tally = input.tally();
                        receiver.iter().for_each(|message| tally.note(message));
                        tally
                    })
                })
                .collect::<io::Result<_>>()?;
            let tallies = consumers.into_iter().map(|c| c.join().expect("noting does not panic"));
            Ok(input.digest(tallies))
        })
    }
}
