//! `fairness`: one task per ticker, and hogs that yield after every slice.

use std::io;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::{AsyncStd, Misuse};

impl Run<Fairness> for AsyncStd {
    fn how(_: &FairnessParams) -> How {
        How::fair(
            "one spawned task per ticker on task::sleep; hogs await task::yield_now",
            "https://docs.rs/async-std/latest/async_std/task/fn.yield_now.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        run(input, |tickers| async move {
            while tickers.hog() {
                task::yield_now().await;
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
            "https://docs.rs/async-std/latest/async_std/task/fn.yield_now.html",
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
    task::block_on(async {
        let hogs: Vec<_> = (0..input.hogs()).map(|_| task::spawn(hog(Arc::clone(input)))).collect();
        let tickers = (0..input.tickers()).map(|id| {
            let input = Arc::clone(input);
            task::spawn(async move {
                let mut ticker = input.ticker(id);
                loop {
                    task::sleep(input.period()).await;
                    if !ticker.tick() {
                        return;
                    }
                }
            })
        });
        let tickers: Vec<_> = tickers.collect();
        for task in tickers.into_iter().chain(hogs) {
            task.await;
        }
        Ok(input.digest())
    })
}
