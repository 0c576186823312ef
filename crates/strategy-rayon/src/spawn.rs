//! `spawn`: a scope with one job per task.

use std::io;
use std::mem;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::spawn::{Spawn, SpawnParams, Tasks};

use crate::Rayon;

impl Run<Spawn> for Rayon {
    fn how(_: &SpawnParams) -> How {
        How::fair(
            "a scope with one spawned job per task, each with a place for its result",
            "https://docs.rs/rayon/latest/rayon/fn.scope.html",
        )
    }

    fn run(&self, input: &Arc<Tasks>) -> io::Result<Digest> {
        let mut results = vec![0; input.n() as usize];
        let mut once = || {
            rayon::scope(|scope| {
                for result in &mut results {
                    scope.spawn(|_| *result = input.task());
                }
            });
            results.iter_mut().map(mem::take).sum::<u64>()
        };
        let sum = self.pool.install(|| (0..input.times()).map(|_| once()).sum());
        Ok(input.digest(sum))
    }
}
