//! `map`: a thread per worker, each taking the next chunk from a channel.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam::channel;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::Threads;

impl Run<Map> for Threads {
    fn how(_: &MapParams) -> Option<How> {
        How::fair(
            "one scoped thread per worker, chunks from a crossbeam channel",
            "https://docs.rs/crossbeam/latest/crossbeam/channel/index.html",
        )
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let (sender, receiver) = channel::unbounded();
        for chunk in input.chunks() {
            sender.send(chunk).expect("the receiver lives");
        }
        drop(sender);
        let mut parts: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers)
                .map(|_| {
                    scope.spawn(|| {
                        let hashed =
                            |chunk: std::ops::Range<usize>| (chunk.start, input.hash_chunk(chunk));
                        receiver.iter().map(hashed).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|t| t.join().expect("hashing does not panic")).collect()
        });
        parts.sort_unstable_by_key(|&(start, _)| start);
        Ok(input.digest(parts.into_iter().flat_map(|(_, hashes)| hashes)))
    }
}
