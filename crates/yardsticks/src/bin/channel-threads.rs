//! What does a message cost between threads? A bounded channel of crossbeam.
//!
//! `cargo run --release -p yardsticks --bin channel-threads -- 8 8 64 100000`, with the numbers of
//! producers and consumers, what the channel holds, and the number of messages. Starting and ending
//! the threads is part of it, as in the workload.

use std::env;
use std::thread;
use std::time::Instant;

use crossbeam::channel::bounded;

const RUNS: usize = 9;

fn main() {
    let arguments: Vec<_> =
        env::args().skip(1).map(|word| word.parse().expect("give numbers")).collect();
    let [producers, consumers, capacity, messages] = arguments[..] else {
        panic!("give producers, consumers, capacity and messages");
    };
    let mut ns_per_message: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let received = transfer(producers, consumers, capacity, messages);
            let elapsed = start.elapsed();
            assert_eq!(received, messages / producers * producers);
            elapsed.as_nanos() as usize / messages
        })
        .skip(1) // the warm-up
        .collect();
    ns_per_message.sort_unstable();
    println!("{} ns per message", ns_per_message[RUNS / 2]);
}

fn transfer(producers: usize, consumers: usize, capacity: usize, messages: usize) -> usize {
    let (sender, receiver) = bounded(capacity);
    thread::scope(|scope| {
        for _ in 0..producers {
            let sender = sender.clone();
            scope.spawn(move || (0..messages / producers).try_for_each(|m| sender.send(m)));
        }
        drop(sender);
        let consumers: Vec<_> = (0..consumers)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || receiver.iter().count())
            })
            .collect();
        consumers.into_iter().map(|c| c.join().expect("counting does not panic")).sum()
    })
}
