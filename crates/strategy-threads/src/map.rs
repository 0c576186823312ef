//! `map`: a thread per worker, each taking the next chunk from a channel.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam::channel;
use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::map::{Blocks, Map, MapParams};

use crate::{Misuse, Threads};

/// Threads that exist at a time where there is one per block: far below what a system allows.
const WAVE: usize = 1_000;

impl Run<Map> for Threads {
    fn how(_: &MapParams) -> How {
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

impl Run<Map> for Misuse {
    fn how(_: &MapParams) -> How {
        How::misuse(
            "one thread per block, a thousand at a time: starting it costs more than its work",
            "https://doc.rust-lang.org/book/ch21-02-multithreaded.html",
        )
    }

    fn ready(&self, input: &Arc<Blocks>) -> io::Result<()> {
        check_threads(input.len().min(WAVE) as u64)
    }

    fn run(&self, input: &Arc<Blocks>) -> io::Result<Digest> {
        let blocks: Vec<_> = (0..input.len()).collect();
        let mut hashes = Vec::with_capacity(blocks.len());
        for wave in blocks.chunks(WAVE) {
            hashes.extend(hash_wave(input, wave)?);
        }
        Ok(input.digest(hashes))
    }
}

fn hash_wave(input: &Blocks, wave: &[usize]) -> io::Result<Vec<u64>> {
    thread::scope(|scope| {
        let threads: Vec<_> = wave
            .iter()
            .map(|&block| thread::Builder::new().spawn_scoped(scope, move || input.hash(block)))
            .collect::<io::Result<_>>()?;
        Ok(threads.into_iter().map(|t| t.join().expect("hashing does not panic")).collect())
    })
}
