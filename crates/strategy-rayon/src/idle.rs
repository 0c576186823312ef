//! `idle`: a pool for each batch, with one thread per parked task.

use std::io;
use std::sync::{Arc, OnceLock};

use crossbeam::sync::WaitGroup;
use machine::check_threads;
use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::{Rayon, pool, within_max_pool};

impl Run<Idle> for Rayon {
    fn how(params: &IdleParams) -> How {
        within_max_pool(
            params.n,
            How::off_label(
                "pools with one thread per parked task, each blocking on a `OnceLock`; rayon is made \
                 for computing",
                "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.spawn_broadcast",
            ),
        )
    }

    fn ready(&self, input: &Arc<Lot>) -> io::Result<()> {
        check_threads(input.tasks())
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        let released = Arc::new(OnceLock::new());
        let parked = WaitGroup::new();
        for batch in input.batches() {
            let started = batch.end;
            let (lot, released, parked) =
                (Arc::clone(input), Arc::clone(&released), parked.clone());
            // A pool does not grow, so each batch has one.
            pool((batch.end - batch.start) as usize)?.spawn_broadcast(move |context| {
                let _parked = &parked;
                let state = lot.park(batch.start + context.index() as u64);
                released.wait();
                lot.leave(state);
            });
            input.observe(started)?;
        }
        self.pool.scope(|scope| {
            for _ in 0..input.active() {
                scope.spawn(|_| {
                    for _ in 0..input.turns() {
                        input.turn();
                        rayon::yield_now();
                    }
                });
            }
        });
        let _ = released.set(());
        parked.wait();
        Ok(input.digest())
    }
}
