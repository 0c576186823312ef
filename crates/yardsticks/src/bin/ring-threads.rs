//! What does it cost to pass a token round a ring of 500 threads? A slot with a condition variable for
//! each, which takes less CPU time than a channel of `std` or crossbeam.
//!
//! `cargo run --release -p yardsticks --bin ring-threads -- 50000`, with the number of hops. Starting
//! and ending the threads is part of it, as in the workload.

use std::env;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Instant;

const NODES: usize = 500;
const RUNS: usize = 9;
/// The token that ends the node which it reaches.
const END: u64 = 0;

fn main() {
    let hops = env::args().nth(1).map_or(50_000, |hops| hops.parse().expect("hops are a number"));
    let mut ns_per_hop: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            go_round(hops);
            start.elapsed().as_nanos() as u64 / hops
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_hop.sort_unstable();
    println!("{} ns per hop", ns_per_hop[RUNS / 2]);
}

/// Where the token waits for a node.
#[derive(Default)]
struct Slot {
    token: Mutex<Option<u64>>,
    filled: Condvar,
}

impl Slot {
    fn put(&self, token: u64) {
        *self.token.lock().expect("no node panics") = Some(token);
        self.filled.notify_one();
    }

    fn take(&self) -> u64 {
        let mut token = self.token.lock().expect("no node panics");
        loop {
            match token.take() {
                Some(token) => return token,
                None => token = self.filled.wait(token).expect("no node panics"),
            }
        }
    }
}

fn go_round(hops: u64) {
    let slots: Vec<_> = (0..NODES).map(|_| Slot::default()).collect();
    thread::scope(|scope| {
        for (node, slot) in slots.iter().enumerate() {
            let next = &slots[(node + 1) % NODES];
            scope.spawn(|| pass_on(slot, next));
        }
        slots[0].put(hops);
    });
}

fn pass_on(slot: &Slot, next: &Slot) {
    loop {
        let hops_left = slot.take();
        next.put(hops_left.saturating_sub(1));
        if hops_left == END {
            return;
        }
    }
}
