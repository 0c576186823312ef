//! `fairness`: a heap of ticks on one thread, and the hogs on threads beside it.

use std::io;
use std::sync::Arc;
use std::thread;

use worker::{How, Run, no_form};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::timers::Timers;
use crate::{EventLoop, Sequential};

no_form!(Run<Fairness> for Sequential: "one after the other: nothing ticks while something computes");

impl Run<Fairness> for EventLoop {
    fn how(_: &FairnessParams) -> How {
        How::floor(
            "a heap of ticks on one thread; the hogs are plain threads beside it, and the operating \
             system shares the processors out",
            "https://docs.rs/mio/latest/mio/struct.Poll.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        thread::scope(|scope| {
            for _ in 0..input.hogs() {
                scope.spawn(|| while input.hog() {});
            }
            tick(input)
        })?;
        Ok(input.digest())
    }
}

/// Until every ticker has finished. However this ends, the tickers are dropped, and so the hogs end.
fn tick(input: &Tickers) -> io::Result<()> {
    let mut tickers: Vec<_> = (0..input.tickers()).map(|id| input.ticker(id)).collect();
    let mut timers = Timers::new()?;
    for (index, ticker) in tickers.iter().enumerate() {
        timers.set(ticker.since() + input.period(), index);
    }
    while let Some(index) = timers.next()? {
        let ticker = &mut tickers[index];
        if ticker.tick() {
            timers.set(ticker.since() + input.period(), index);
        }
    }
    Ok(())
}
