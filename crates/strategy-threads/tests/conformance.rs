//! The built executable, as the harness would run it.

conformance::tests! {
    program: env!("CARGO_BIN_EXE_strategy-threads"),
    serves: "crossbeam",
    // There is a thread for each operation, stage or connection.
    more_threads: [
        "gather", "fetch", "pipeline", "channel", "ring", "deadline", "fairness", "spawn", "idle",
        "echo", "serve", "endpoints", "mixed", "traffic",
    ],
}
