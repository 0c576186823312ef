//! `join`: count the solutions of the n-queens problem by recursive fork–join.

use std::io;

use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Sampling, Site, Spec, Workload,
    params,
};

const MAX_N: usize = 15;

/// The workload `join`.
#[derive(Debug)]
pub struct Join;

params! {
    /// The parameters of `join`.
    pub struct JoinParams {
        /// queens
        pub n: u64 in 1..=MAX_N as u64,
        /// rows placed by forking; below, one task solves the rest alone
        pub cutoff: u64 in 0..=MAX_N as u64,
    }
}

impl Definition for Join {
    const SPEC: Spec = Spec {
        name: "join",
        class: Class::Cpu,
        question: "How well does recursive work that forks and joins spread over the cores?",
        operation: "solution",
        metric: Metric::Wall,
    };
    type Params = JoinParams;

    fn cases(profile: Profile) -> Vec<JoinParams> {
        let (n, cutoffs): (_, &[u64]) = match profile {
            Profile::Smoke => (8, &[3, 8]),
            Profile::Quick => (11, &[1, 3, 5, 11]),
            Profile::Standard | Profile::Thorough => (12, &[1, 2, 3, 4, 5, 6, 8, 12]),
        };
        cutoffs.iter().map(|&cutoff| JoinParams { n, cutoff }).collect()
    }

    fn label(params: &JoinParams) -> String {
        format!("cutoff={}", params.cutoff)
    }

    fn operations(params: &JoinParams) -> u64 {
        SOLUTIONS[params.n as usize - 1].max(1)
    }

    fn limit(_: &JoinParams) -> Limit {
        Limit::SequentialOverWorkers
    }

    /// Without a cut-off one run is long enough.
    fn sampling(params: &JoinParams) -> Sampling {
        if params.has_cutoff() { Sampling::Repeated } else { Sampling::Once }
    }
}

impl JoinParams {
    /// Whether there is a part that is solved without forking. Forking down to the last queen is a known
    /// mistake in every model.
    pub fn has_cutoff(&self) -> bool {
        self.cutoff < self.n
    }
}

/// Solutions for 1 to 15 queens (OEIS A000170).
const SOLUTIONS: [u64; MAX_N] =
    [1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2_680, 14_200, 73_712, 365_596, 2_279_184];

impl Workload for Join {
    type Input = Queens;

    fn prepare(params: &JoinParams, _: &Site<'_>) -> io::Result<Queens> {
        Ok(Queens { n: params.n as u8, cutoff: params.cutoff as u8, census: Census::new() })
    }

    fn expected(input: &Queens) -> io::Result<Digest> {
        Ok(Digest::of_number(SOLUTIONS[usize::from(input.n) - 1]))
    }

    fn census(input: &Queens) -> &Census {
        &input.census
    }
}

/// The problem.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Queens {
    n: u8,
    cutoff: u8,
    census: Census,
}

/// A board with queens on its first rows, none attacking another.
#[derive(Debug, Clone, Copy)]
pub struct Board {
    columns: [u8; MAX_N],
    rows: u8,
}

impl Queens {
    /// The empty board.
    pub fn empty_board(&self) -> Board {
        Board { columns: [0; MAX_N], rows: 0 }
    }

    /// Whether to fork for this board's next row; otherwise [`solve`](Queens::solve) it.
    pub fn forks(&self, board: &Board) -> bool {
        board.rows < self.cutoff.min(self.n)
    }

    /// The boards with one queen more.
    pub fn next_boards(&self, board: Board) -> impl Iterator<Item = Board> + Send + use<> {
        (0..self.n)
            .filter(move |&column| board.is_safe(column))
            .map(move |column| board.with(column))
    }

    /// Number of solutions that begin with this board, counted on the calling thread.
    #[inline(never)]
    pub fn solve(&self, board: Board) -> u64 {
        self.census.mark();
        let mut board = board;
        count(self.n, &mut board)
    }

    /// The answer.
    pub fn digest(&self, solutions: u64) -> Digest {
        Digest::of_number(solutions)
    }
}

impl Board {
    fn is_safe(&self, column: u8) -> bool {
        let rows = usize::from(self.rows);
        self.columns[..rows].iter().enumerate().all(|(row, &other)| {
            other != column && usize::from(other.abs_diff(column)) != rows - row
        })
    }

    fn with(mut self, column: u8) -> Board {
        self.columns[usize::from(self.rows)] = column;
        self.rows += 1;
        self
    }
}

fn count(n: u8, board: &mut Board) -> u64 {
    if board.rows == n {
        return 1;
    }
    let mut solutions = 0;
    for column in 0..n {
        if board.is_safe(column) {
            board.columns[usize::from(board.rows)] = column;
            board.rows += 1;
            solutions += count(n, board);
            board.rows -= 1;
        }
    }
    solutions
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn fork(queens: &Queens, board: Board) -> u64 {
        if queens.forks(&board) {
            queens.next_boards(board).map(|next| fork(queens, next)).sum()
        } else {
            queens.solve(board)
        }
    }

    #[test]
    fn kernels_start_on_a_cache_line_so_that_linking_favours_no_strategy() {
        let kernels = [
            Queens::solve as fn(&Queens, Board) -> u64 as usize,
            count as fn(u8, &mut Board) -> u64 as usize,
        ];
        assert!(kernels.iter().all(|address| address % 64 == 0), "{kernels:x?}");
    }

    #[test]
    fn the_known_numbers_of_solutions_are_found_with_every_cut_off() {
        for n in 1..=9 {
            for cutoff in 0..=n + 1 {
                let queens =
                    Join::prepare(&JoinParams { n, cutoff }, &Site::alone(Path::new(""))).unwrap();
                let answer = queens.digest(fork(&queens, queens.empty_board()));
                assert_eq!(answer, Join::expected(&queens).unwrap(), "n={n} cutoff={cutoff}");
            }
        }
    }
}
