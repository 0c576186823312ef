//! What every strategy's tests, and the harness's `check`, ask of an executable: the right answer in every
//! cell at tiny scale, and as many working threads as were granted.

use std::path::Path;

use workloads::{Case, Entry, Profile};

mod backend;
mod echo;
mod http;
mod server;

pub use backend::assert_notices_a_dead_backend;
pub use echo::assert_serves;
pub use http::assert_serves_http;
pub use server::assert_serves_every_service;

use launch::Visit;
use launch::scratch::Scratch;
use launch::selection::{self, Choice};
use protocol::Standing;
use protocol::{Failure, FailureKind, Measured, SamplingPlan};

/// One cell that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The case.
    pub case: String,
    /// The strategy's variant.
    pub variant: String,
    /// What came of it.
    pub result: Result<Measured, Failure>,
}

/// Tries of a cell whose window is void.
const TRIES: usize = 3;

/// Runs every smoke case once in every variant of `program`, each in a process of its own, against the
/// oracle that `peer` computes. Input files are made below `scratch`.
///
/// # Errors
/// If the program does not describe itself, or an oracle fails.
pub fn try_all(
    program: &Path,
    peer: &Path,
    workers: usize,
    scratch: &Path,
) -> Result<Vec<Tried>, Failure> {
    try_some(program, peer, workers, scratch, |_| true)
}

/// Like [`try_all`], with the workloads that are `wanted` by name.
fn try_some(
    program: &Path,
    peer: &Path,
    workers: usize,
    scratch: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Tried>, Failure> {
    let description = launch::describe(program)?;
    let mut tried = Vec::new();
    for (entry, case) in smoke_cases(workers) {
        if !wanted(entry.spec.name) {
            continue;
        }
        let expected = launch::oracle(peer, entry.spec.name, &case.params, scratch, workers)?;
        for variant in &description.variants {
            if !description.has(variant, entry.spec.name) {
                continue;
            }
            let visit = Visit {
                program,
                peer,
                variant,
                workload: entry.spec.name,
                kind: entry.kind,
                backend: entry.backend,
                params: &case.params,
                workers,
                placement: launch::Placement::Free,
                sampling: SamplingPlan { warmup: 0, min_samples: 2, budget_ns: 0 },
                scratch,
                time_limit: selection::time_limit(false),
                expected,
            };
            let (case, variant) = (case.id.clone(), variant.clone());
            // A window whose times the busy machine did not keep says nothing about the cell.
            let is_void = |tried: &Result<_, Failure>| matches!(tried, Err(f) if f.failure == FailureKind::Void);
            let mut result = visit.run();
            for _ in 1..TRIES {
                if !is_void(&result) {
                    break;
                }
                result = visit.run();
            }
            tried.push(Tried { case, variant, result });
        }
    }
    Ok(tried)
}

fn smoke_cases(workers: usize) -> Vec<(Entry, Case)> {
    let cases = selection::cases(Profile::Smoke, &Choice::default());
    // A rate that every server can keep up with.
    cases
        .and_then(|cases| selection::settle(cases, workers, Some(500.0)))
        .expect("nothing is chosen that could fail")
}

/// Panics unless every cell of `program` has the right answer or no honest form. On a machine that is too
/// busy to send at the right times a cell may be left open.
///
/// # Panics
/// With the list of what failed.
pub fn assert_right(program: &Path) {
    let tried = try_in_temporary_folder(program, 2, |_| true);
    let failed = |tried: &&Tried| {
        let failure = tried.result.as_ref().err();
        failure.is_some_and(|failure| {
            !matches!(failure.failure, FailureKind::Unsupported | FailureKind::Void)
        })
    };
    let failed: Vec<_> = tried.iter().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(tried.iter().any(|tried| tried.result.is_ok()), "nothing was measured");
}

/// Panics unless one worker means that one thread did all operations of these workloads. A known mistake
/// may take as many as it likes.
///
/// # Panics
/// With the case and the number of threads observed.
pub fn assert_one_worker(program: &Path, workloads: &[&str]) {
    let mut seen = 0;
    let tried = try_in_temporary_folder(program, 1, |workload| workloads.contains(&workload));
    for Tried { case, variant, result } in tried {
        let Ok(measured) = result else { continue };
        if measured.how.is_some_and(|how| how.standing == Standing::Misuse) {
            continue;
        }
        assert_eq!(measured.worker_threads, Some(1), "{case} on {variant}");
        seen += 1;
    }
    assert!(seen >= workloads.len(), "only {seen} cells were measured");
}

fn try_in_temporary_folder(
    program: &Path,
    workers: usize,
    wanted: impl Fn(&str) -> bool,
) -> Vec<Tried> {
    let scratch = Scratch::temporary().expect("a temporary folder can be made");
    try_some(program, program, workers, scratch.path(), wanted)
        .expect("the program speaks the protocol")
}
