//! `fairness`: one task per ticker, and hogs that yield after every slice.

use std::io;
use std::sync::Arc;

use smol::Timer;
use smol::future::yield_now;
use worker::{How, Run};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::{EXECUTOR, Misuse, Smol};

impl Run<Fairness> for Smol {
    fn how(_: &FairnessParams) -> How {
        How::fair(
            "one spawned task per ticker on smol::Timer; hogs await future::yield_now",
            "https://docs.rs/smol/latest/smol/future/fn.yield_now.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        run(input, |tickers| async move {
            while tickers.hog() {
                yield_now().await;
            }
        })
    }
}

impl Run<Fairness> for Misuse {
    fn how(params: &FairnessParams) -> How {
        if params.hogs == "w" {
            return How::unsupported(
                "hogs that never yield leave no worker on which a ticker could end",
            );
        }
        How::misuse(
            "hogs that never yield: each keeps a worker to itself",
            "https://docs.rs/smol/latest/smol/future/fn.yield_now.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        run(input, |tickers| async move { while tickers.hog() {} })
    }
}

fn run<F>(input: &Arc<Tickers>, hog: impl Fn(Arc<Tickers>) -> F) -> io::Result<Digest>
where
    F: Future<Output = ()> + Send + 'static,
{
    smol::block_on(async {
        let hogs: Vec<_> =
            (0..input.hogs()).map(|_| EXECUTOR.spawn(hog(Arc::clone(input)))).collect();
        let tickers = (0..input.tickers()).map(|id| {
            let input = Arc::clone(input);
            async move {
                let mut ticker = input.ticker(id);
                loop {
                    Timer::after(input.period()).await;
                    if !ticker.tick() {
                        return;
                    }
                }
            }
        });
        let mut tasks = Vec::with_capacity(input.tickers() as usize);
        EXECUTOR.spawn_many(tickers, &mut tasks);
        for task in tasks.into_iter().chain(hogs) {
            task.await;
        }
        Ok(input.digest())
    })
}
