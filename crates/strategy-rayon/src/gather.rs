//! `gather`: a pool sized to the waits.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::gather::{Gather, GatherParams, Waits};

use crate::Rayon;

/// Threads beyond which a pool is busy with itself: an idle rayon thread looks for work in the queues
/// of all others, so the cost grows with the square. 1,000 waits cost 0.4 s of CPU time, and
/// 10,000 did not finish within a minute.
const MAX_POOL: u64 = 4_000;

impl Run<Gather> for Rayon {
    fn how(params: &GatherParams) -> Option<How> {
        if params.n > MAX_POOL {
            return None;
        }
        How::off_label(
            "a pool with one thread per wait, each blocking; rayon is made for computing",
            "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.broadcast",
        )
    }

    fn ready(&self, input: &Arc<Waits>) -> io::Result<()> {
        if input.n() > MAX_POOL {
            return Err(unsupported(format!(
                "a pool of {} threads: idle rayon threads search each other's queues, which beyond \
                 {MAX_POOL} takes minutes",
                input.n()
            )));
        }
        self.build_waiting(input.n() as usize)
    }

    fn run(&self, input: &Arc<Waits>) -> io::Result<Digest> {
        let results = self.waiting()?.broadcast(|context| input.block(context.index() as u64));
        Ok(input.digest(results))
    }
}
