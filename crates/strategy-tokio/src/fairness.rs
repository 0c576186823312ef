//! `fairness`: hogs and tickers are tasks, and a hog yields after every slice.

use std::io;
use std::sync::Arc;

use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;
use worker::{How, Run};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::{Misuse, Tokio};

impl Run<Fairness> for Tokio {
    fn how(_: &FairnessParams) -> How {
        How::fair(
            "tasks that await tokio::time::sleep beside tasks that compute and yield_now",
            "https://docs.rs/tokio/latest/tokio/task/fn.yield_now.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..input.hogs() {
                let input = Arc::clone(input);
                tasks.spawn(async move {
                    while input.hog() {
                        yield_now().await;
                    }
                });
            }
            for id in 0..input.tickers() {
                tasks.spawn(tick(Arc::clone(input), id));
            }
            tasks.join_all().await;
            Ok(input.digest())
        })
    }
}

impl Run<Fairness> for Misuse {
    fn how(params: &FairnessParams) -> How {
        if params.hogs == "w" {
            return How::unsupported(
                "hogs that never yield on every worker let no ticker run: no end",
            );
        }
        How::misuse(
            "tasks that compute to their end without an await: each takes a worker out of service",
            "https://docs.rs/tokio/latest/tokio/task/coop/index.html",
        )
    }

    fn run(&self, input: &Arc<Tickers>) -> io::Result<Digest> {
        self.0.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..input.hogs() {
                let input = Arc::clone(input);
                tasks.spawn(async move { while input.hog() {} });
            }
            for id in 0..input.tickers() {
                tasks.spawn(tick(Arc::clone(input), id));
            }
            tasks.join_all().await;
            Ok(input.digest())
        })
    }
}

async fn tick(input: Arc<Tickers>, id: u64) {
    let mut ticker = input.ticker(id);
    loop {
        sleep(input.period()).await;
        if !ticker.tick() {
            return;
        }
    }
}
