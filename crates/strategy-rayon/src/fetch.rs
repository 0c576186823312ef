//! `fetch`: a pool sized to the connections.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use worker::{How, Run};
use workloads::Digest;
use workloads::fetch::{Fetch, FetchParams, Requests};

use crate::{Rayon, within_max_pool};

impl Run<Fetch> for Rayon {
    fn how(params: &FetchParams) -> How {
        within_max_pool(
            params.in_flight,
            How::off_label(
                "a pool with one thread per connection, each blocking; rayon is made for computing",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.broadcast",
            ),
        )
    }

    fn ready(&self, input: &Arc<Requests>) -> io::Result<()> {
        self.build_waiting(input.in_flight())
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let next = AtomicU64::new(0);
        self.waiting()?
            .broadcast(|context| fetch(input, context.index(), &next))
            .into_iter()
            .try_fold(Digest::of_number(0), |all, one| Ok(all ^ one?))
    }
}

fn fetch(input: &Requests, connection: usize, next: &AtomicU64) -> io::Result<Digest> {
    let mut stream = input.connection(connection)?;
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
