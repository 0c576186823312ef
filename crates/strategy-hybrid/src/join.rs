//! `join`: recursive parallel iterators as one job, awaited.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Board, Join, JoinParams, Queens};

use crate::Hybrid;

impl Run<Join> for Hybrid {
    fn how(params: &JoinParams) -> How {
        if !params.has_cutoff() {
            return How::misuse(
                "recursive parallel iterators with no cut-off: every queen is a task",
                "https://docs.rs/rayon/latest/rayon/iter/trait.IndexedParallelIterator.html#method.with_min_len",
            );
        }
        How::fair(
            "recursive parallel iterators handed whole to rayon's half of the workers, their \
             oneshot awaited",
            "https://ryhl.io/blog/async-what-is-blocking/",
        )
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        let queens = Arc::clone(input);
        let job = move || count(&queens, queens.empty_board());
        Ok(input.digest(self.io.block_on(self.cpu.compute(job))?))
    }
}

fn count(queens: &Queens, board: Board) -> u64 {
    if !queens.forks(&board) {
        return queens.solve(board);
    }
    let next: Vec<_> = queens.next_boards(board).collect();
    next.into_par_iter().map(|board| count(queens, board)).sum()
}
