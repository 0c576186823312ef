//! What does a message cost between tokio tasks? A bounded `mpsc` channel for one consumer, and
//! async-channel for several, as tokio's guide advises; two workers.
//!
//! `cargo run --release -p yardsticks --bin channel-tokio -- 8 8 64 100000`, with the numbers of
//! producers and consumers, what the channel holds, and the number of messages. Starting and ending
//! the tasks is part of it, as in the workload.

use std::env;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const WORKERS: usize = 2;
const RUNS: usize = 9;

fn main() {
    let arguments: Vec<_> =
        env::args().skip(1).map(|word| word.parse().expect("give numbers")).collect();
    let [producers, consumers, capacity, messages] = arguments[..] else {
        panic!("give producers, consumers, capacity and messages");
    };
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).build().expect("it starts");
    let mut ns_per_message: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let received = match consumers {
                1 => runtime.block_on(runtime.spawn(to_one(producers, capacity, messages))),
                _ => runtime
                    .block_on(runtime.spawn(transfer(producers, consumers, capacity, messages))),
            }
            .expect("no task panics");
            let elapsed = start.elapsed();
            assert_eq!(received, messages / producers * producers);
            elapsed.as_nanos() as usize / messages
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_message.sort_unstable();
    println!("{} ns per message", ns_per_message[RUNS / 2]);
}

async fn to_one(producers: usize, capacity: usize, messages: usize) -> usize {
    let (sender, mut receiver) = mpsc::channel(capacity);
    for _ in 0..producers {
        let sender = sender.clone();
        tokio::spawn(async move {
            for message in 0..messages / producers {
                sender.send(message).await.expect("the consumer receives to the end");
            }
        });
    }
    drop(sender);
    let mut count = 0;
    while receiver.recv().await.is_some() {
        count += 1;
    }
    count
}

async fn transfer(producers: usize, consumers: usize, capacity: usize, messages: usize) -> usize {
    let (sender, receiver) = async_channel::bounded(capacity);
    for _ in 0..producers {
        let sender = sender.clone();
        tokio::spawn(async move {
            for message in 0..messages / producers {
                sender.send(message).await.expect("the consumers receive to the end");
            }
        });
    }
    drop(sender);
    let mut counts = JoinSet::new();
    for _ in 0..consumers {
        let receiver = receiver.clone();
        counts.spawn(async move {
            let mut count = 0;
            while receiver.recv().await.is_ok() {
                count += 1;
            }
            count
        });
    }
    counts.join_all().await.into_iter().sum()
}
