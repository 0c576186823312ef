//! `idle`: one parked task each, all released by closing one channel.

use std::io;
use std::sync::Arc;

use async_std::channel::{self, Receiver};
use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::AsyncStd;

impl Run<Idle> for AsyncStd {
    fn how(_: &IdleParams) -> How {
        How::fair(
            "spawned tasks that await a channel until its sender is dropped; active ones await \
             task::yield_now",
            "https://docs.rs/async-std/latest/async_std/channel/struct.Sender.html",
        )
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        let (release, released) = channel::bounded(1);
        let shared = Arc::new(Shared { lot: Arc::clone(input), released });
        let mut parked = Vec::with_capacity(input.tasks() as usize);
        for batch in input.batches() {
            let started = batch.end;
            parked.extend(batch.map(|id| {
                let shared = Arc::clone(&shared);
                task::spawn(async move {
                    let state = shared.lot.park(id);
                    let _ = shared.released.recv().await;
                    shared.lot.leave(state);
                })
            }));
            input.observe(started)?;
        }
        task::block_on(async {
            let active: Vec<_> =
                (0..input.active()).map(|_| task::spawn(stay_active(Arc::clone(input)))).collect();
            for task in active {
                task.await;
            }
            drop(release);
            for task in parked {
                task.await;
            }
        });
        Ok(input.digest())
    }
}

/// What the parked tasks share, behind one pointer in each, as in every asynchronous strategy.
struct Shared {
    lot: Arc<Lot>,
    released: Receiver<()>,
}

async fn stay_active(input: Arc<Lot>) {
    for _ in 0..input.turns() {
        input.turn();
        task::yield_now().await;
    }
}
