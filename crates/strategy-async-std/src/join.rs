//! `join`: every fork is a task that awaits its children.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use async_std::task;
use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::AsyncStd;

impl Run<Join> for AsyncStd {
    fn how(params: &JoinParams) -> How {
        let link = "https://docs.rs/async-std/latest/async_std/task/struct.JoinHandle.html";
        if !params.has_cutoff() {
            return How::misuse("spawned tasks with no cut-off: every queen is a task", link);
        }
        How::fair(
            "one spawned task per board down to the cut-off, children awaited by their parent",
            link,
        )
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        let root = task::spawn(count(Arc::clone(input), input.empty_board()));
        Ok(input.digest(task::block_on(root)))
    }
}

fn count(queens: Arc<Queens>, board: Board) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if !queens.forks(&board) {
            return queens.solve(board);
        }
        let children: Vec<_> = queens
            .next_boards(board)
            .map(|next| task::spawn(count(Arc::clone(&queens), next)))
            .collect();
        let mut solutions = 0;
        for child in children {
            solutions += child.await;
        }
        solutions
    })
}
