//! `fetch`: one task per connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_std::io::{ReadExt, WriteExt};
use async_std::net::TcpStream;
use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::fetch::{Fetch, FetchParams, Requests};

use crate::AsyncStd;

impl Run<Fetch> for AsyncStd {
    fn how(_: &FetchParams) -> How {
        How::fair(
            "one spawned task per connection, which takes one request after the other",
            "https://docs.rs/async-std/latest/async_std/net/struct.TcpStream.html",
        )
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let next = Arc::new(AtomicU64::new(0));
        task::block_on(async {
            let tasks: Vec<_> = (0..input.in_flight())
                .map(|index| task::spawn(fetch(Arc::clone(input), index, Arc::clone(&next))))
                .collect();
            let mut all = Digest::of_number(0);
            for task in tasks {
                all = all ^ task.await?;
            }
            Ok(all)
        })
    }
}

async fn fetch(
    input: Arc<Requests>,
    connection: usize,
    next: Arc<AtomicU64>,
) -> io::Result<Digest> {
    let mut stream = TcpStream::from(input.connection(connection)?);
    let mut client = input.client();
    let mut all = Digest::of_number(0);
    loop {
        let id = next.fetch_add(1, Relaxed);
        if id >= input.n() {
            return Ok(all);
        }
        stream.write_all(client.ask(id)).await?;
        let answer = loop {
            let count = stream.read(client.space()).await?;
            if let Some(digest) = client.received(count)? {
                break digest;
            }
        };
        all = all ^ answer;
    }
}
