//! `gather`: one thread per wait.

use std::io;
use std::sync::Arc;
use std::thread;

use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::Threads;

impl Run<Gather> for Threads {
    fn how(_: &GatherParams) -> How {
        How::fair(
            "one scoped thread per wait, joined in order",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn ready(&self, input: &Arc<Waits>) -> io::Result<()> {
        check_threads(input.n())
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..input.n())
                .map(|id| thread::Builder::new().spawn_scoped(scope, move || input.block(id)))
                .collect::<io::Result<_>>()?;
            let results = threads.into_iter().map(|t| t.join().expect("a wait does not panic"));
            Ok(input.digest(results))
        })
    }
}
