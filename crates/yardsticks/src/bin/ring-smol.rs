//! What does it cost to pass a token round a ring of 500 smol tasks? A channel for one token to each;
//! two workers.
//!
//! `cargo run --release -p yardsticks --bin ring-smol -- 50000`, with the number of hops. Starting and
//! ending the tasks is part of it, as in the workload.

use std::env;
use std::future;
use std::thread;
use std::time::Instant;

use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};

const NODES: usize = 500;
const WORKERS: usize = 2;
const RUNS: usize = 21;

static EXECUTOR: Executor<'static> = Executor::new();

fn main() {
    let hops = env::args().nth(1).map_or(50_000, |hops| hops.parse().expect("hops are a number"));
    for _ in 0..WORKERS {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    let mut ns_per_hop: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            smol::block_on(EXECUTOR.spawn(go_round(hops)));
            start.elapsed().as_nanos() as u64 / hops
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_hop.sort_unstable();
    println!("{} ns per hop", ns_per_hop[RUNS / 2]);
}

async fn go_round(hops: u64) {
    let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..NODES).map(|_| bounded(1)).unzip();
    senders[0].try_send(hops).expect("there is room for the token");
    senders.rotate_left(1);
    let nodes = receivers.into_iter().zip(senders).map(|(inbox, next)| pass_on(inbox, next));
    let mut tasks = Vec::with_capacity(NODES);
    EXECUTOR.spawn_many(nodes, &mut tasks);
    for task in tasks {
        task.await;
    }
}

/// Ends when the hops are used up or the node before it has ended, and so all of them end.
async fn pass_on(inbox: Receiver<u64>, next: Sender<u64>) {
    while let Ok(hops_left) = inbox.recv().await {
        if hops_left == 1 || next.send(hops_left - 1).await.is_err() {
            return;
        }
    }
}
