//! `matmul`: multiply matrices, as a layer of a neural network does with a batch.
//!
//! The weights lie in panels of `COLUMNS` columns, as libraries for inference keep them, so that the
//! inner loop reads both matrices from front to back. A tile of `ROWS` × `COLUMNS` results stays in
//! registers (Goto and van de Geijn, ACM Transactions on Mathematical Software 34, 2008).

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::random::mix;
use crate::{
    Amount, Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Unit, Workload,
    params,
};

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a tile: two AVX registers.
const COLUMNS: usize = 16;
/// Inputs are whole numbers from −8 to 7, so that every sum of 4,096 products is exact: below 2²⁴.
const MAX_INPUT: u64 = 15;

/// The workload `matmul`.
#[derive(Debug)]
pub struct Matmul;

params! {
    /// The parameters of `matmul`.
    pub struct MatmulParams {
        /// rows and columns of every matrix
        pub n: u64 in 1..=4_096,
        /// matrices multiplied by the same weights
        pub batch: u64 in 1..=64,
        /// rows handed over at a time
        pub rows: u64 in 1..=4_096,
    }
}

impl Definition for Matmul {
    const SPEC: Spec = Spec {
        name: "matmul",
        class: Class::Cpu,
        question: "How well does dense arithmetic, as in a layer of a neural network, spread over the cores?",
        operation: "matrix",
        metric: Metric::Wall,
    };
    type Params = MatmulParams;

    fn cases(profile: Profile) -> Vec<MatmulParams> {
        let (n, batch, rows) = match profile {
            Profile::Smoke => (64, 2, 16),
            Profile::Quick => (512, 8, 64),
            Profile::Standard | Profile::Thorough => (512, 32, 64),
        };
        vec![MatmulParams { n, batch, rows }]
    }

    fn label(_: &MatmulParams) -> String {
        String::new()
    }

    fn operations(params: &MatmulParams) -> u64 {
        params.batch
    }

    fn limit(_: &MatmulParams) -> Limit {
        Limit::SequentialOverWorkers
    }

    fn amount(params: &MatmulParams) -> Option<Amount> {
        Some(Amount { count: 2 * params.n.pow(3) * params.batch, unit: Unit::Flop })
    }
}

impl Workload for Matmul {
    type Input = Layer;

    fn prepare(params: &MatmulParams, _: &Site<'_>) -> io::Result<Layer> {
        let n = params.n as usize;
        let height = n * params.batch as usize;
        let weights: Vec<f32> = (0..n * n).map(|index| number(1, index)).collect();
        let mut panels = vec![0.0; n.div_ceil(COLUMNS) * n * COLUMNS];
        for (panel, tile) in panels.chunks_exact_mut(n * COLUMNS).enumerate() {
            for (row, line) in tile.chunks_exact_mut(COLUMNS).enumerate() {
                let start = row * n + panel * COLUMNS;
                let columns = COLUMNS.min(n - panel * COLUMNS);
                line[..columns].copy_from_slice(&weights[start..start + columns]);
            }
        }
        let rows = params.rows as usize;
        let blocks = (0..height.div_ceil(rows)).map(|block| {
            let rows = rows.min(height - block * rows);
            Mutex::new(vec![0.0; rows * n])
        });
        Ok(Layer {
            n,
            rows,
            inputs: (0..height * n).map(|index| number(2, index)).collect(),
            weights,
            panels,
            outputs: blocks.collect(),
            census: Census::new(),
        })
    }

    /// Without tiles and panels.
    fn expected(input: &Layer) -> io::Result<Digest> {
        let n = input.n;
        let mut sum = 0_u64;
        for block in 0..input.blocks() {
            let inputs = &input.inputs[input.range_of(block)];
            let mut outputs = vec![0.0; inputs.len()];
            for (inputs, outputs) in inputs.chunks_exact(n).zip(outputs.chunks_exact_mut(n)) {
                for (left, weights) in inputs.iter().zip(input.weights.chunks_exact(n)) {
                    for (output, right) in outputs.iter_mut().zip(weights) {
                        *output += left * right;
                    }
                }
            }
            sum = sum.wrapping_add(checksum(block, &outputs));
        }
        Ok(input.digest(sum))
    }

    fn census(input: &Layer) -> &Census {
        &input.census
    }
}

/// The number at `index` of a matrix.
fn number(matrix: u64, index: usize) -> f32 {
    let random = mix(matrix.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index as u64) & MAX_INPUT;
    random as f32 - 8.0
}

/// Exact, because all outputs are whole numbers; says which rows they belong to.
fn checksum(block: usize, outputs: &[f32]) -> u64 {
    let sum: u64 = outputs.iter().map(|&output| u64::from(output.to_bits())).sum();
    mix(sum ^ (block as u64) << 48)
}

/// A batch of inputs, the weights they are multiplied by, and room for the outputs.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Layer {
    n: usize,
    /// Rows of a block.
    rows: usize,
    inputs: Vec<f32>,
    weights: Vec<f32>,
    panels: Vec<f32>,
    /// By block, each behind a lock that is always free.
    outputs: Vec<Mutex<Vec<f32>>>,
    census: Census,
}

impl Layer {
    /// Number of blocks of rows, never 0: they can be computed independently of each other.
    pub fn blocks(&self) -> usize {
        self.outputs.len()
    }

    fn range_of(&self, block: usize) -> Range<usize> {
        let start = block * self.rows * self.n;
        start..self.inputs.len().min(start + self.rows * self.n)
    }

    /// Computes the outputs of one block on the calling thread and returns their checksum.
    #[inline(never)]
    pub fn multiply(&self, block: usize) -> u64 {
        self.census.mark();
        let mut outputs = self.outputs[block].lock().unwrap_or_else(PoisonError::into_inner);
        multiply(&self.inputs[self.range_of(block)], &self.panels, &mut outputs, self.n);
        checksum(block, &outputs)
    }

    /// The answer from the sum, with wrap-around, of all checksums.
    pub fn digest(&self, sum: u64) -> Digest {
        Digest::of_number(sum)
    }
}

fn multiply(inputs: &[f32], panels: &[f32], outputs: &mut [f32], n: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[expect(unsafe_code, reason = "the processor has what the function is compiled for")]
        unsafe {
            multiply_avx2(inputs, panels, outputs, n);
        }
        return;
    }
    tiles::<false>(inputs, panels, outputs, n);
}

/// The same for processors with AVX2 and fused multiplication and addition.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(inputs: &[f32], panels: &[f32], outputs: &mut [f32], n: usize) {
    tiles::<true>(inputs, panels, outputs, n);
}

#[inline(always)]
fn tiles<const FUSED: bool>(inputs: &[f32], panels: &[f32], outputs: &mut [f32], n: usize) {
    for (panel, weights) in panels.chunks_exact(n * COLUMNS).enumerate() {
        let column = panel * COLUMNS;
        let (weights, _) = weights.as_chunks::<COLUMNS>();
        let mut inputs = inputs.chunks_exact(ROWS * n);
        let mut outputs = outputs.chunks_exact_mut(ROWS * n);
        for (inputs, outputs) in inputs.by_ref().zip(outputs.by_ref()) {
            tile::<ROWS, FUSED>(inputs, weights, outputs, column);
        }
        let rest = inputs.remainder().chunks_exact(n);
        for (inputs, outputs) in rest.zip(outputs.into_remainder().chunks_exact_mut(n)) {
            tile::<1, FUSED>(inputs, weights, outputs, column);
        }
    }
}

/// The outputs of `R` rows in the columns of one panel.
#[inline(always)]
fn tile<const R: usize, const FUSED: bool>(
    inputs: &[f32],
    weights: &[[f32; COLUMNS]],
    outputs: &mut [f32],
    column: usize,
) {
    let n = weights.len();
    let rows: [&[f32]; R] = std::array::from_fn(|row| &inputs[row * n..][..n]);
    let mut sums = [[0.0_f32; COLUMNS]; R];
    for (k, weights) in weights.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let input = row[k];
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = if FUSED { input.mul_add(weight, *sum) } else { *sum + input * weight };
            }
        }
    }
    for (sums, outputs) in sums.iter().zip(outputs.chunks_exact_mut(n)) {
        let columns = COLUMNS.min(n - column);
        outputs[column..column + columns].copy_from_slice(&sums[..columns]);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn layer(n: u64, batch: u64, rows: u64) -> Layer {
        Matmul::prepare(&MatmulParams { n, batch, rows }, &Site::alone(Path::new(""))).unwrap()
    }

    #[test]
    fn every_size_has_the_answer_of_plain_multiplication() {
        for (n, batch, rows) in [(1, 1, 1), (5, 2, 3), (16, 1, 16), (33, 2, 10), (64, 2, 16)] {
            let layer = layer(n, batch, rows);
            let sum = (0..layer.blocks()).map(|b| layer.multiply(b)).fold(0, u64::wrapping_add);
            assert_eq!(
                layer.digest(sum),
                Matmul::expected(&layer).unwrap(),
                "{n}, {batch}, {rows}"
            );
        }
    }

    #[test]
    fn portable_and_fused_arithmetic_agree_exactly() {
        let layer = layer(50, 1, 50);
        let mut portable = vec![0.0; 2_500];
        tiles::<false>(&layer.inputs, &layer.panels, &mut portable, 50);
        let mut here = vec![0.0; 2_500];
        multiply(&layer.inputs, &layer.panels, &mut here, 50);
        assert_eq!(portable, here);
    }

    #[test]
    fn a_block_computed_twice_instead_of_another_changes_the_answer() {
        let layer = layer(16, 1, 4);
        let twice = [0, 1, 2, 2].map(|block| layer.multiply(block));
        let sum = twice.into_iter().fold(0, u64::wrapping_add);
        assert_ne!(layer.digest(sum), Matmul::expected(&layer).unwrap());
    }

    #[test]
    fn outputs_are_small_enough_to_be_exact() {
        let largest = 8.0 * 8.0 * 4_096.0;
        assert!(largest < f32::powi(2.0, 24));
        let inputs: Vec<_> = (0..1_000).map(|index| number(1, index)).collect();
        assert!(inputs.iter().all(|input| (-8.0..=7.0).contains(input) && input.fract() == 0.0));
    }
}
