//! The built executable, as the harness would run it.

conformance::tests! {
    program: env!("CARGO_BIN_EXE_strategy-async-std"),
    serves: "global",
    // Blocking calls are on the threads of the blocking pool.
    more_threads: ["read-files", "write-files", "pipeline", "endpoints", "traffic"],
}
