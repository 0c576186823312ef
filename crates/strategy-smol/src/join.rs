//! `join`: every fork is a task that awaits its children.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::{EXECUTOR, Smol};

impl Run<Join> for Smol {
    fn how(params: &JoinParams) -> How {
        let link = "https://docs.rs/smol/latest/smol/struct.Task.html";
        if !params.has_cutoff() {
            return How::misuse("spawned tasks with no cut-off: every queen is a task", link);
        }
        How::fair(
            "one spawned task per board down to the cut-off, children awaited by their parent",
            link,
        )
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        let root = EXECUTOR.spawn(count(Arc::clone(input), input.empty_board()));
        Ok(input.digest(smol::block_on(root)))
    }
}

fn count(queens: Arc<Queens>, board: Board) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if !queens.forks(&board) {
            return queens.solve(board);
        }
        let children: Vec<_> = queens
            .next_boards(board)
            .map(|next| EXECUTOR.spawn(count(Arc::clone(&queens), next)))
            .collect();
        let mut solutions = 0;
        for child in children {
            solutions += child.await;
        }
        solutions
    })
}
