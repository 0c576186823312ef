//! What does it cost to pass a token round a ring of 500 async-std tasks? A channel for one token to
//! each; two workers.
//!
//! `cargo run --release -p yardsticks --bin ring-async-std -- 50000`, with the number of hops. Starting
//! and ending the tasks is part of it, as in the workload.

use std::env;
use std::time::Instant;

use async_global_executor::GlobalExecutorConfig;
use async_std::channel::{Receiver, Sender, bounded};
use async_std::task;

const NODES: usize = 500;
const WORKERS: usize = 2;
const RUNS: usize = 21;

fn main() {
    let hops = env::args().nth(1).map_or(50_000, |hops| hops.parse().expect("hops are a number"));
    // async-std's runtime; it leaves alone what has been started before.
    let config = GlobalExecutorConfig::default().with_min_threads(WORKERS);
    async_global_executor::init_with_config(config.with_max_threads(WORKERS));
    let mut ns_per_hop: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            task::block_on(task::spawn(go_round(hops)));
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
    let tasks: Vec<_> = nodes.map(task::spawn).collect();
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
