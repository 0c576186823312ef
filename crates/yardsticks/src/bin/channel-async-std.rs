//! What does a message cost between async-std tasks? async-std's own bounded channel; two workers.
//!
//! `cargo run --release -p yardsticks --bin channel-async-std -- 8 8 64 100000`, with the numbers of
//! producers and consumers, what the channel holds, and the number of messages. Starting and ending
//! the tasks is part of it, as in the workload.

use std::env;
use std::time::Instant;

use async_global_executor::GlobalExecutorConfig;
use async_std::channel::bounded;
use async_std::task;

const WORKERS: usize = 2;
const RUNS: usize = 9;

fn main() {
    // async-std's runtime; it leaves alone what has been started before.
    let config = GlobalExecutorConfig::default().with_min_threads(WORKERS);
    async_global_executor::init_with_config(config.with_max_threads(WORKERS));
    let arguments: Vec<_> =
        env::args().skip(1).map(|word| word.parse().expect("give numbers")).collect();
    let [producers, consumers, capacity, messages] = arguments[..] else {
        panic!("give producers, consumers, capacity and messages");
    };
    let mut ns_per_message: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let received =
                task::block_on(task::spawn(transfer(producers, consumers, capacity, messages)));
            let elapsed = start.elapsed();
            assert_eq!(received, messages / producers * producers);
            elapsed.as_nanos() as usize / messages
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_message.sort_unstable();
    println!("{} ns per message", ns_per_message[RUNS / 2]);
}

async fn transfer(producers: usize, consumers: usize, capacity: usize, messages: usize) -> usize {
    let (sender, receiver) = bounded(capacity);
    for _ in 0..producers {
        let sender = sender.clone();
        let produce = async move {
            for message in 0..messages / producers {
                sender.send(message).await.expect("the consumers receive to the end");
            }
        };
        task::spawn(produce);
    }
    drop(sender);
    let consumers: Vec<_> = (0..consumers)
        .map(|_| {
            let receiver = receiver.clone();
            task::spawn(async move {
                let mut count = 0;
                while receiver.recv().await.is_ok() {
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut received = 0;
    for consumer in consumers {
        received += consumer.await;
    }
    received
}
