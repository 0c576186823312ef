//! `fetch`: one request after the other, or a readiness loop over all connections.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use worker::{How, Run};
use workloads::Digest;
use workloads::fetch::{Client, Fetch, FetchParams, Requests};

use crate::{EventLoop, Sequential, one_by_one};

impl Run<Fetch> for Sequential {
    fn how(params: &FetchParams) -> How {
        one_by_one(
            params.wait_ms,
            params.n,
            How::floor(
                "one blocking request after the other, on one connection",
                "https://doc.rust-lang.org/std/net/struct.TcpStream.html",
            ),
        )
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let mut stream = input.connection(0)?;
        stream.set_nonblocking(false)?;
        let mut client = input.client();
        let mut all = Digest::of_number(0);
        for id in 0..input.n() {
            stream.write_all(client.ask(id))?;
            all = all
                ^ loop {
                    let count = stream.read(client.space())?;
                    if let Some(digest) = client.received(count)? {
                        break digest;
                    }
                };
        }
        Ok(all)
    }
}

impl Run<Fetch> for EventLoop {
    fn how(_: &FetchParams) -> How {
        How::floor(
            "one thread, one edge-triggered readiness loop over all connections",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1024);
        let mut ids = 0..input.n();
        let mut all = Digest::of_number(0);
        let mut left = input.n();
        let mut conversations = Vec::with_capacity(input.in_flight());
        for (index, id) in (0..input.in_flight()).zip(ids.by_ref()) {
            let mut conversation = Conversation::new(input, index)?;
            conversation.ask(id)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut conversation.stream, Token(index), interest)?;
            conversations.push(conversation);
        }
        while left > 0 {
            match poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                let conversation = &mut conversations[event.token().0];
                if event.is_writable() {
                    conversation.send()?;
                }
                if !event.is_readable() {
                    continue;
                }
                if let Some(digest) = conversation.receive()? {
                    all = all ^ digest;
                    left -= 1;
                    if let Some(id) = ids.next() {
                        conversation.ask(id)?;
                    }
                }
            }
        }
        Ok(all)
    }
}

struct Conversation<'a> {
    stream: TcpStream,
    client: Client<'a>,
    unsent: Vec<u8>,
}

impl<'a> Conversation<'a> {
    fn new(input: &'a Requests, index: usize) -> io::Result<Self> {
        let stream = input.connection(index)?;
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(Conversation { stream, client: input.client(), unsent: Vec::new() })
    }

    fn ask(&mut self, id: u64) -> io::Result<()> {
        self.unsent.extend_from_slice(self.client.ask(id));
        self.send()
    }

    /// Sends what there is to send, until the socket takes no more.
    fn send(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until the answer is whole, and no further: nothing comes after it that was not asked
    /// for, so the next event is that of the next answer.
    fn receive(&mut self) -> io::Result<Option<Digest>> {
        loop {
            match self.stream.read(self.client.space()) {
                Ok(count) => {
                    let digest = self.client.received(count)?;
                    if digest.is_some() {
                        return Ok(digest);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
