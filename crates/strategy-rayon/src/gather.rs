//! `gather`: a pool sized to the waits.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::{Rayon, within_max_pool};

impl Run<Gather> for Rayon {
    fn how(params: &GatherParams) -> How {
        within_max_pool(
            params.n,
            How::off_label(
                "a pool with one thread per wait, each blocking; rayon is made for computing",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.broadcast",
            ),
        )
    }

    fn ready(&self, input: &Arc<Waits>) -> io::Result<()> {
        self.build_waiting(input.n() as usize)
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        let results = self.waiting()?.broadcast(|context| input.block(context.index() as u64));
        Ok(input.digest(results))
    }
}
