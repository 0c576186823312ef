//! `ring`: one thread per node, each waiting on a condition variable for the token.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::ring::{Next, Ring, RingParams, Token, Tokens};

use crate::Threads;

impl Run<Ring> for Threads {
    fn how(_: &RingParams) -> How {
        How::fair(
            "one scoped thread per node, the token handed over under a mutex with a condition \
             variable, which costs less than a channel",
            "https://doc.rust-lang.org/std/sync/struct.Condvar.html",
        )
    }

    fn ready(&self, input: &Arc<Tokens>) -> io::Result<()> {
        check_threads(input.nodes() as u64)
    }

    fn run(&self, input: &Arc<Tokens>) -> io::Result<Digest> {
        let places: Vec<_> = (0..input.nodes()).map(|_| Place::default()).collect();
        places[0].put(Next::Pass(input.start()));
        let last = thread::scope(|scope| {
            let nodes: Vec<_> = (0..input.nodes())
                .map(|node| {
                    let (from, to) = (&places[node], &places[(node + 1) % places.len()]);
                    scope.spawn(move || run_node(input, node, from, to))
                })
                .collect();
            nodes.into_iter().map(|node| node.join().expect("a node does not panic")).last()
        });
        Ok(input.digest(last.expect("a ring has a node")))
    }
}

/// Passes on the end too, so that it goes round and every node stops.
fn run_node(input: &Tokens, node: usize, from: &Place, to: &Place) -> Token {
    loop {
        let next = match from.take() {
            Next::Pass(token) => input.pass(node, token),
            done => done,
        };
        to.put(next);
        if let Next::Done(last) = next {
            return last;
        }
    }
}

/// Where a node finds what the one before it hands over.
#[derive(Default)]
struct Place {
    content: Mutex<Option<Next>>,
    filled: Condvar,
}

impl Place {
    fn put(&self, next: Next) {
        *self.content.lock().expect("no thread panics") = Some(next);
        self.filled.notify_one();
    }

    fn take(&self) -> Next {
        let mut content = self.content.lock().expect("no thread panics");
        loop {
            match content.take() {
                Some(next) => return next,
                None => content = self.filled.wait(content).expect("no thread panics"),
            }
        }
    }
}
