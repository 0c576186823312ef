//! `spawn`: a function call for each task.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Spawn> for Sequential {
    fn how(_: &SpawnParams) -> Option<How> {
        How::floor(
            "a function call for each task",
            "https://doc.rust-lang.org/std/iter/trait.Iterator.html",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let sum = (0..input.times() * input.n()).map(|_| input.task()).sum();
        Ok(input.digest(sum))
    }
}

impl Run<Spawn> for EventLoop {
    fn how(_: &SpawnParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Tasks>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
