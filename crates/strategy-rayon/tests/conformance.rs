//! The built executable, as the harness would run it.

conformance::tests! {
    program: env!("CARGO_BIN_EXE_strategy-rayon"),
    serves: "thread-pool",
    // The off-label forms: a pool with a thread for each operation or connection.
    more_threads: [
        "gather", "fetch", "channel", "idle", "echo", "serve", "endpoints", "mixed", "traffic",
    ],
}
