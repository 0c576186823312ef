//! `spawn`: a function call for each task.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::Sequential;

impl Run<Spawn> for Sequential {
    fn how(_: &SpawnParams) -> How {
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
