//! `join`: recursive parallel iterators.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::Rayon;

impl Run<Join> for Rayon {
    fn how(params: &JoinParams) -> How {
        if !params.has_cutoff() {
            return How::misuse(
                "recursive parallel iterators with no cut-off: every queen is a task",
                "https://docs.rs/rayon/latest/rayon/iter/trait.IndexedParallelIterator.html#method.with_min_len",
            );
        }
        How::fair(
            "a parallel iterator over the next boards, recursively down to the cut-off",
            "https://docs.rs/rayon/latest/rayon/index.html",
        )
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        Ok(input.digest(self.pool.install(|| count(input, input.empty_board()))))
    }
}

fn count(queens: &Queens, board: Board) -> u64 {
    if !queens.forks(&board) {
        return queens.solve(board);
    }
    let next: Vec<_> = queens.next_boards(board).collect();
    next.into_par_iter().map(|board| count(queens, board)).sum()
}
