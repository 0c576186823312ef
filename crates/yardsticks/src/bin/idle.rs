//! How much memory does a parked task take in a program that does nothing else? Tasks with 64 bytes of
//! state on tokio, smol or async-std, each waiting for one release.
//!
//! `cargo run --release -p yardsticks --bin idle -- tokio 100000`, with the runtime and the number of
//! tasks. The number is the slope over four batches, as in the workload.

use std::env;
use std::fs;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use smol::lock::OnceCell;
use tokio::runtime::Builder;
use tokio::sync::Notify;

const WORKERS: usize = 2;
const BATCHES: u64 = 4;

/// Tasks that have parked, and the sum of the states of those that were released.
#[derive(Default)]
struct Count {
    parked: AtomicU64,
    states: AtomicU64,
}

impl Count {
    fn park(&self, id: u64) -> [u64; 8] {
        self.parked.fetch_add(1, SeqCst);
        black_box([id; 8])
    }

    fn leave(&self, state: [u64; 8]) {
        self.states.fetch_add(black_box(state)[7], SeqCst);
    }
}

fn main() {
    let usage = "give a runtime (tokio, smol or async-std) and a number of tasks";
    let runtime = env::args().nth(1).expect(usage);
    let n = env::args().nth(2).map_or(100_000, |word| word.parse().expect(usage));
    let bytes = match runtime.as_str() {
        "tokio" => on_tokio(n),
        "smol" => on_smol(n),
        "async-std" => on_async_std(n),
        _ => panic!("{usage}"),
    };
    println!("{runtime}, {n} tasks: {bytes:.0} bytes each");
}

fn on_tokio(n: u64) -> f64 {
    let runtime =
        Builder::new_multi_thread().worker_threads(WORKERS).build().expect("it can start");
    let shared = Arc::new((Count::default(), Notify::new()));
    let mut tasks = Vec::with_capacity(n as usize);
    let bytes = slope(n, &shared.0, |ids| {
        tasks.extend(ids.map(|id| {
            let shared = Arc::clone(&shared);
            runtime.spawn(async move {
                let released = shared.1.notified();
                let state = shared.0.park(id);
                released.await;
                shared.0.leave(state);
            })
        }));
    });
    shared.1.notify_waiters();
    runtime.block_on(async {
        for task in tasks {
            task.await.expect("nothing panics");
        }
    });
    check(n, &shared.0);
    bytes
}

fn on_smol(n: u64) -> f64 {
    static EXECUTOR: smol::Executor<'static> = smol::Executor::new();
    for _ in 0..WORKERS {
        thread::spawn(|| smol::block_on(EXECUTOR.run(std::future::pending::<()>())));
    }
    let shared = Arc::new((Count::default(), OnceCell::new()));
    let mut tasks = Vec::with_capacity(n as usize);
    let bytes = slope(n, &shared.0, |ids| {
        tasks.extend(ids.map(|id| {
            let shared = Arc::clone(&shared);
            EXECUTOR.spawn(async move {
                let state = shared.0.park(id);
                shared.1.wait().await;
                shared.0.leave(state);
            })
        }));
    });
    smol::block_on(async {
        shared.1.set(()).await.expect("it is set once");
        for task in tasks {
            task.await;
        }
    });
    check(n, &shared.0);
    bytes
}

fn on_async_std(n: u64) -> f64 {
    let (release, released) = async_std::channel::bounded::<()>(1);
    let shared = Arc::new((Count::default(), released));
    let mut tasks = Vec::with_capacity(n as usize);
    let bytes = slope(n, &shared.0, |ids| {
        tasks.extend(ids.map(|id| {
            let shared = Arc::clone(&shared);
            async_std::task::spawn(async move {
                let state = shared.0.park(id);
                // It ends when there is no sender left.
                let _ = shared.1.recv().await;
                shared.0.leave(state);
            })
        }));
    });
    drop(release);
    async_std::task::block_on(async {
        for task in tasks {
            task.await;
        }
    });
    check(n, &shared.0);
    bytes
}

/// Starts all tasks in batches and returns the slope of memory against their number by least squares.
fn slope(n: u64, count: &Count, mut start: impl FnMut(Range<u64>)) -> f64 {
    let mut points = Vec::new();
    for batch in 0..BATCHES {
        let started = n * (batch + 1) / BATCHES;
        start(n * batch / BATCHES..started);
        while count.parked.load(SeqCst) < started {
            thread::sleep(Duration::from_micros(100));
        }
        points.push((started as f64, anonymous_bytes()));
    }
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / BATCHES as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let common: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    common / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

fn anonymous_bytes() -> f64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux has it");
    let kib = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("it is there");
    1024.0 * kib.trim().trim_end_matches(" kB").parse::<f64>().expect("it is a number")
}

fn check(n: u64, count: &Count) {
    assert_eq!(count.states.load(SeqCst), n * (n - 1) / 2, "every state came back");
}
