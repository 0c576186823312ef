//! The built executable, as the harness would run it.

conformance::tests! {
    program: env!("CARGO_BIN_EXE_strategy-floor"),
    serves: "event-loop",
    refuses: ["endpoints", "traffic"],
    // The hogs are threads beside the event loop.
    more_threads: ["fairness"],
}
