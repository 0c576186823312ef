//! `fetch`: one task per connection, each taking the next request.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use worker::{How, Run};
use workloads::Digest;
use workloads::fetch::{Client, Fetch, FetchParams, Requests};

use crate::Tokio;

impl Run<Fetch> for Tokio {
    fn how(_: &FetchParams) -> How {
        How::fair(
            "one task per connection in a JoinSet",
            "https://docs.rs/tokio/latest/tokio/task/struct.JoinSet.html",
        )
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let next = Arc::new(AtomicU64::new(0));
        self.runtime.block_on(async {
            let mut connections: JoinSet<_> = (0..input.in_flight())
                .map(|index| fetch(Arc::clone(input), index, Arc::clone(&next)))
                .collect();
            let mut all = Digest::of_number(0);
            while let Some(answers) = connections.join_next().await {
                all = all ^ answers??;
            }
            Ok(all)
        })
    }
}

async fn fetch(input: Arc<Requests>, index: usize, next: Arc<AtomicU64>) -> io::Result<Digest> {
    let stream = input.connection(index)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream)?;
    let mut client = input.client();
    let mut all = Digest::of_number(0);
    loop {
        let id = next.fetch_add(1, Relaxed);
        if id >= input.n() {
            return Ok(all);
        }
        stream.write_all(client.ask(id)).await?;
        all = all ^ answer(&mut stream, &mut client).await?;
    }
}

async fn answer(stream: &mut TcpStream, client: &mut Client<'_>) -> io::Result<Digest> {
    loop {
        let count = stream.read(client.space()).await?;
        if let Some(digest) = client.received(count)? {
            return Ok(digest);
        }
    }
}
