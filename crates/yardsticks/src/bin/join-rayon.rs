//! What does it cost to count the solutions of the n-queens problem on rayon? A parallel iterator over
//! the columns of a row, recursively for the first rows.
//!
//! `cargo run --release -p yardsticks --bin join-rayon -- 12 3`, with the numbers of queens and of rows
//! placed in parallel.

use std::env;
use std::time::Instant;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

const THREADS: usize = 2;
const RUNS: usize = 21;
const MAX_QUEENS: usize = 16;

fn main() {
    let argument = |place, default| {
        env::args().nth(place).map_or(default, |word| word.parse().expect("give numbers"))
    };
    let (queens, cutoff) = (argument(1, 12), argument(2, 3));
    assert!(queens <= MAX_QUEENS, "at most {MAX_QUEENS} queens");
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads can start");
    let mut solutions = 0;
    let mut us: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            solutions = pool.install(|| solve(queens, cutoff, Board::default()));
            start.elapsed().as_micros()
        })
        .skip(1) // the warm-up
        .collect();
    us.sort_unstable();
    println!("{solutions} solutions: best {} µs, median {} µs", us[0], us[RUNS / 2]);
}

/// The columns of the queens on the first rows.
#[derive(Default, Clone, Copy)]
struct Board {
    columns: [u8; MAX_QUEENS],
    rows: usize,
}

impl Board {
    fn allows(&self, column: u8) -> bool {
        let mut queens = self.columns[..self.rows].iter().enumerate();
        queens.all(|(row, &queen)| {
            queen != column && usize::from(queen.abs_diff(column)) != self.rows - row
        })
    }

    fn with(mut self, column: u8) -> Self {
        self.columns[self.rows] = column;
        self.rows += 1;
        self
    }
}

fn solve(queens: usize, cutoff: usize, board: Board) -> u64 {
    if board.rows >= cutoff.min(queens) {
        return solve_alone(queens, &mut { board });
    }
    (0..queens as u8)
        .into_par_iter()
        .filter(|&column| board.allows(column))
        .map(|column| solve(queens, cutoff, board.with(column)))
        .sum()
}

fn solve_alone(queens: usize, board: &mut Board) -> u64 {
    if board.rows == queens {
        return 1;
    }
    let mut solutions = 0;
    for column in 0..queens as u8 {
        if board.allows(column) {
            board.columns[board.rows] = column;
            board.rows += 1;
            solutions += solve_alone(queens, board);
            board.rows -= 1;
        }
    }
    solutions
}
