//! What every strategy's tests, and the harness's `check`, ask of an executable: the right answer in every
//! cell at tiny scale, and as many working threads as were granted.

use std::collections::BTreeSet;
use std::path::Path;

use workloads::{Case, Class, Entry, Profile};

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

/// The tests of a strategy that takes part in every workload:
///
/// ```ignore
/// conformance::tests! {
///     program: env!("CARGO_BIN_EXE_strategy-tokio"),
///     serves: "multi-thread",
///     // Blocking calls are on threads of their own.
///     more_threads: ["read-files"],
/// }
/// ```
///
/// `serves` is the variant that `fetch` and the services are tried on; those of its services that have no honest
/// form in their usual case may follow as `refuses: ["traffic"]`. `more_threads` are the workloads that one worker
/// does not do on one thread, see [`assert_one_worker`].
#[macro_export]
macro_rules! tests {
    (
        program: $program:expr,
        serves: $variant:literal,
        $(refuses: [$($refuses:literal),* $(,)?],)?
        more_threads: [$($more:literal),* $(,)?] $(,)?
    ) => {
        fn program() -> &'static std::path::Path {
            std::path::Path::new($program)
        }

        #[test]
        fn every_answer_is_right() {
            $crate::assert_right(program());
        }

        #[test]
        fn one_worker_is_one_thread_that_works() {
            $crate::assert_one_worker(program(), &[$($more),*]);
        }

        #[test]
        fn the_server_stands_what_clients_do_to_it() {
            $crate::assert_serves(program(), &["--variant", $variant]);
        }

        #[test]
        fn the_http_server_stands_what_clients_do_to_it() {
            $crate::assert_serves_http(program(), &["--variant", $variant]);
        }

        #[test]
        fn a_backend_that_dies_is_a_failure_that_says_so() {
            $crate::assert_notices_a_dead_backend(program(), $variant);
        }

        #[test]
        fn every_service_starts_and_answers() {
            $crate::assert_serves_every_service(program(), $variant, &[$($($refuses),*)?]);
        }
    };
}

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
    assert!(tried.iter().any(|tried| tried.result.is_ok()), "nothing was measured");
}

/// Panics unless one worker means that one thread does all operations of every workload but those that
/// take `more_threads` by what they are; a workload that computes may not be among these. A known mistake may
/// take as many as it likes.
///
/// # Panics
/// With the case and the number of threads observed, or with what failed.
pub fn assert_one_worker(program: &Path, more_threads: &[&str]) {
    let computes = |entry: &Entry| entry.spec.class == Class::Cpu;
    let exempt: Vec<_> = more_threads
        .iter()
        .map(|name| workloads::find(name).unwrap_or_else(|| panic!("there is no {name}")))
        .collect();
    assert!(!exempt.iter().any(computes), "what computes takes the threads that it is granted");
    let mut seen = BTreeSet::new();
    for Tried { case, variant, result } in
        try_in_temporary_folder(program, 1, |workload| !more_threads.contains(&workload))
    {
        let Ok(measured) = result else { continue };
        if measured.how.is_some_and(|how| how.standing == Standing::Misuse) {
            continue;
        }
        assert_eq!(measured.worker_threads, Some(1), "{case} on {variant}");
        seen.insert(case.split('/').next().unwrap_or_default().to_owned());
    }
    for entry in workloads::catalog().iter().filter(|entry| computes(entry)) {
        assert!(seen.contains(entry.spec.name), "{} was not measured", entry.spec.name);
    }
}

/// Tries the cells of the workloads that are `wanted`, none of which may fail otherwise than by having no
/// honest form or by the fault of a busy machine.
fn try_in_temporary_folder(
    program: &Path,
    workers: usize,
    wanted: impl Fn(&str) -> bool,
) -> Vec<Tried> {
    let scratch = Scratch::temporary().expect("a temporary folder can be made");
    let tried = try_some(program, program, workers, scratch.path(), wanted)
        .expect("the program speaks the protocol");
    let failed = |tried: &&Tried| {
        let failure = tried.result.as_ref().err();
        failure.is_some_and(|failure| {
            !matches!(failure.failure, FailureKind::Unsupported | FailureKind::Void)
        })
    };
    let failed: Vec<_> = tried.iter().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    tried
}
