//! `idle`: an array of states.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::Sequential;

impl Run<Idle> for Sequential {
    fn how(_: &IdleParams) -> How {
        How::floor(
            "an array of states, and nothing that could wake one",
            "https://doc.rust-lang.org/std/vec/struct.Vec.html#method.with_capacity",
        )
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        let mut parked = Vec::with_capacity(input.tasks() as usize);
        for batch in input.batches() {
            let started = batch.end;
            parked.extend(batch.map(|id| input.park(id)));
            input.observe(started)?;
        }
        (0..input.turns() * input.active()).for_each(|_| input.turn());
        parked.into_iter().for_each(|state| input.leave(state));
        Ok(input.digest())
    }
}
