//! How fast is the kernel of `matmul` on one thread, beside the crate matrixmultiply?
//!
//! `cargo run --release -p yardsticks --bin matmul`

use std::path::Path;
use std::time::{Duration, Instant};

use workloads::matmul::{Layer, Matmul, MatmulParams};
use workloads::{Site, Workload};

const N: usize = 512;
const BATCH: usize = 8;
const RUNS: usize = 21;

fn main() {
    let params = MatmulParams { n: N as u64, batch: BATCH as u64, rows: 64 };
    let layer = Matmul::prepare(&params, &Site::alone(Path::new(""))).expect("it is in memory");
    let inputs: Vec<f32> = (0..BATCH * N * N).map(|index| (index % 16) as f32 - 8.0).collect();
    let mut outputs = vec![0.0; BATCH * N * N];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // In turn, so that a slow moment of the machine weighs on both.
    for _ in 0..RUNS {
        ours.push(multiply(&layer));
        theirs.push(multiply_by_crate(&inputs, &mut outputs));
    }
    for (name, mut times) in [("workload", ours), ("matrixmultiply", theirs)] {
        times.sort_unstable();
        let flop = (BATCH * 2 * N.pow(3)) as f64;
        println!("{name}: {:.1} GFLOP/s", flop / times[RUNS / 2].as_secs_f64() / 1e9);
    }
}

fn multiply(layer: &Layer) -> Duration {
    let start = Instant::now();
    (0..layer.blocks()).for_each(|block| _ = layer.multiply(block));
    start.elapsed()
}

fn multiply_by_crate(inputs: &[f32], outputs: &mut [f32]) -> Duration {
    let weights = &inputs[..N * N];
    let start = Instant::now();
    for (input, output) in inputs.chunks_exact(N * N).zip(outputs.chunks_exact_mut(N * N)) {
        let (rows, columns) = (N as isize, 1);
        #[expect(
            unsafe_code,
            reason = "all three matrices have N rows of N numbers, one after the other"
        )]
        unsafe {
            matrixmultiply::sgemm(
                N,
                N,
                N,
                1.0,
                input.as_ptr(),
                rows,
                columns,
                weights.as_ptr(),
                rows,
                columns,
                0.0,
                output.as_mut_ptr(),
                rows,
                columns,
            );
        }
    }
    start.elapsed()
}
