//! The built executable, as the harness would run it.

conformance::tests! {
    program: env!("CARGO_BIN_EXE_strategy-tokio"),
    serves: "multi-thread",
    // Blocking calls are on the threads of the blocking pool.
    more_threads: ["read-files", "write-files", "pipeline", "endpoints", "traffic"],
}
