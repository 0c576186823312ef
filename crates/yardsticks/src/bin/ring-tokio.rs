//! What does it cost to pass a token round a ring of 500 tokio tasks? An unbounded channel to each, as
//! there is only one token; two workers.
//!
//! `cargo run --release -p yardsticks --bin ring-tokio -- 50000`, with the number of hops. Starting and
//! ending the tasks is part of it, as in the workload.

use std::env;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

const NODES: usize = 500;
const WORKERS: usize = 2;
const RUNS: usize = 21;

fn main() {
    let hops = env::args().nth(1).map_or(50_000, |hops| hops.parse().expect("hops are a number"));
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).build().expect("it starts");
    let mut ns_per_hop: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            runtime.block_on(runtime.spawn(go_round(hops))).expect("no node panics");
            start.elapsed().as_nanos() as u64 / hops
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_hop.sort_unstable();
    println!("{} ns per hop", ns_per_hop[RUNS / 2]);
}

async fn go_round(hops: u64) {
    let (mut senders, receivers): (Vec<_>, Vec<_>) =
        (0..NODES).map(|_| unbounded_channel()).unzip();
    senders[0].send(hops).expect("node 0 receives");
    senders.rotate_left(1);
    let nodes = receivers.into_iter().zip(senders).map(|(inbox, next)| pass_on(inbox, next));
    nodes.collect::<JoinSet<_>>().join_all().await;
}

/// Ends when the hops are used up or the node before it has ended, and so all of them end.
async fn pass_on(mut inbox: UnboundedReceiver<u64>, next: UnboundedSender<u64>) {
    while let Some(hops_left) = inbox.recv().await {
        if hops_left == 1 || next.send(hops_left - 1).is_err() {
            return;
        }
    }
}
