//! `idle`: one task each, released by setting a cell that all of them await.

use std::io;
use std::sync::Arc;

use smol::future::yield_now;
use smol::lock::OnceCell;
use worker::{How, Run};
use workloads::Digest;
use workloads::idle::{Idle, IdleParams, Lot};

use crate::{EXECUTOR, Smol};

impl Run<Idle> for Smol {
    fn how(_: &IdleParams) -> How {
        How::fair(
            "one spawned task each, awaiting a lock::OnceCell that is set to release them all",
            "https://docs.rs/smol/latest/smol/lock/struct.OnceCell.html#method.wait",
        )
    }

    fn run(&self, input: &Arc<Lot>) -> io::Result<Digest> {
        // A waiter lives in its task's future; those of a channel, semaphore or barrier are boxed.
        let parking = Arc::new(Parking { lot: Arc::clone(input), release: OnceCell::new() });
        let mut parked = Vec::with_capacity(input.tasks() as usize);
        for batch in input.batches() {
            let started = batch.end;
            let tasks = batch.map(|id| {
                let parking = Arc::clone(&parking);
                async move {
                    let state = parking.lot.park(id);
                    parking.release.wait().await;
                    parking.lot.leave(state);
                }
            });
            EXECUTOR.spawn_many(tasks, &mut parked);
            input.observe(started)?;
        }
        let tasks = (0..input.active()).map(|_| {
            let lot = Arc::clone(input);
            async move {
                for _ in 0..lot.turns() {
                    lot.turn();
                    yield_now().await;
                }
            }
        });
        let mut active = Vec::with_capacity(input.active() as usize);
        EXECUTOR.spawn_many(tasks, &mut active);
        smol::block_on(async {
            for task in active {
                task.await;
            }
            let release = &parking.release;
            release.set(()).await.map_err(|()| io::Error::other("released twice"))?;
            for task in parked {
                task.await;
            }
            Ok(input.digest())
        })
    }
}

/// What the parked tasks share, behind one pointer in each, as in every asynchronous strategy.
struct Parking {
    lot: Arc<Lot>,
    release: OnceCell<()>,
}
