//! `join`: every fork is a task that awaits its children.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::Tokio;

impl Run<Join> for Tokio {
    fn how(params: &JoinParams) -> How {
        if params.has_cutoff() {
            How::fair(
                "one spawned task per board down to the cut-off, children awaited by their parent",
                "https://docs.rs/tokio/latest/tokio/task/index.html#spawning",
            )
        } else {
            How::misuse(
                "one spawned task per board with no cut-off: every queen is a task",
                "https://docs.rs/tokio/latest/tokio/task/index.html#spawning",
            )
        }
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        let root = count(Arc::clone(input), input.empty_board());
        let solutions = self.runtime.block_on(self.runtime.spawn(root))?;
        Ok(input.digest(solutions))
    }
}

fn count(queens: Arc<Queens>, board: Board) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if !queens.forks(&board) {
            return queens.solve(board);
        }
        let children: Vec<_> = queens
            .next_boards(board)
            .map(|next| tokio::spawn(count(Arc::clone(&queens), next)))
            .collect();
        let mut solutions = 0;
        for child in children {
            solutions += child.await.expect("counting does not panic and is not cancelled");
        }
        solutions
    })
}
