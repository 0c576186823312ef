//! `idle`: every parked task awaits the same `Notify`.

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::yield_now;
use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::Tokio;

impl Run<Idle> for Tokio {
    fn how(_: &IdleParams) -> How {
        How::fair(
            "spawned tasks that await one tokio::sync::Notify, released by notify_waiters; the active \
             ones yield_now",
            "https://docs.rs/tokio/latest/tokio/sync/struct.Notify.html#method.notify_waiters",
        )
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        let parking = Arc::new(Parking { lot: Arc::clone(input), release: Notify::new() });
        let mut parked = Vec::with_capacity(input.tasks() as usize);
        for batch in input.batches() {
            let started = batch.end;
            parked.extend(batch.map(|id| {
                let parking = Arc::clone(&parking);
                self.runtime.spawn(async move {
                    // It receives what is notified from now on, before it is awaited.
                    let released = parking.release.notified();
                    let state = parking.lot.park(id);
                    released.await;
                    parking.lot.leave(state);
                })
            }));
            input.observe(started)?;
        }
        self.runtime.block_on(async {
            let active: Vec<_> =
                (0..input.active()).map(|_| tokio::spawn(take_turns(Arc::clone(input)))).collect();
            for task in active {
                task.await?;
            }
            parking.release.notify_waiters();
            for task in parked {
                task.await?;
            }
            Ok(input.digest())
        })
    }
}

/// What the parked tasks share, behind one pointer in each, as in every asynchronous strategy.
struct Parking {
    lot: Arc<Lot>,
    release: Notify,
}

async fn take_turns(lot: Arc<Lot>) {
    for _ in 0..lot.turns() {
        lot.turn();
        yield_now().await;
    }
}
