//! `fetch`: one thread per connection, blocking.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::fetch::{Fetch, FetchParams, Requests};

use crate::Threads;

impl Run<Fetch> for Threads {
    fn how(_: &FetchParams) -> How {
        How::fair(
            "one scoped thread per connection, each taking the next request from a shared counter",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn ready(&self, input: &Arc<Requests>) -> io::Result<()> {
        check_threads(input.in_flight() as u64)
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let next = &AtomicU64::new(0);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..input.in_flight())
                .map(|index| {
                    thread::Builder::new().spawn_scoped(scope, move || fetch(input, index, next))
                })
                .collect::<io::Result<_>>()?;
            threads.into_iter().try_fold(Digest::of_number(0), |all, thread| {
                Ok(all ^ thread.join().expect("fetching does not panic")?)
            })
        })
    }
}

fn fetch(input: &Requests, index: usize, next: &AtomicU64) -> io::Result<Digest> {
    let mut stream = input.connection(index)?;
    let mut client = input.client();
    let mut all = Digest::of_number(0);
    loop {
        let id = next.fetch_add(1, Relaxed);
        if id >= input.n() {
            return Ok(all);
        }
        stream.write_all(client.ask(id))?;
        all = all
            ^ loop {
                let count = stream.read(client.space())?;
                if let Some(digest) = client.received(count)? {
                    break digest;
                }
            };
    }
}
