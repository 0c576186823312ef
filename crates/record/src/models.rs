//! The one table of what is known of the strategies besides what is measured. A new strategy is its crate and a row
//! here; nothing else compares the name of one.

/// What is known of a strategy.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Its name: the package is `strategy-NAME`.
    pub name: &'static str,
    /// Its colour on light and on dark paper, as CSS writes it.
    pub colours: [&'static str; 2],
    /// Its mark in charts, about 10 units wide around the origin, as the path of an SVG.
    pub mark: &'static str,
    /// Whether it makes the functions of a program `async`.
    pub is_async: bool,
    /// Whether it holds a thread for each connection.
    pub thread_per_connection: bool,
    /// Why it is measured although it is discontinued, in a sentence.
    pub discontinued: Option<&'static str>,
    /// Whether it is a bound that others are held against, and nothing to choose.
    pub is_bound: bool,
    /// Blocking calls that it makes at once by default, and the setting that raises that.
    pub blocking_calls: Option<(u64, &'static str)>,
    /// Whether its timer rounds up to the next millisecond.
    pub millisecond_timer: bool,
    /// What follows from choosing it, whatever was measured.
    pub consequences: &'static [&'static str],
    /// Environment variables that tune it, and so must not be handed on by the caller's shell.
    pub tuned_by: &'static [&'static str],
}

/// A strategy with none of the properties.
const PLAIN: Model = Model {
    name: "",
    colours: ["", ""],
    mark: "",
    is_async: false,
    thread_per_connection: false,
    discontinued: None,
    is_bound: false,
    blocking_calls: None,
    millisecond_timer: false,
    consequences: &[],
    tuned_by: &[],
};

/// The strategies of this workspace, in the order of the report.
pub const MODELS: [Model; 7] = [
    Model {
        name: "threads",
        colours: ["#966800", "#dba83a"],
        mark: "M-4.5 -4.5h9v9h-9z",
        thread_per_connection: true,
        consequences: &[
            "Good, because code stays synchronous: any library can be called, and a debugger shows what waits where.",
            "Bad, because every connection holds a thread, whose stack and scheduling bound how many there can be.",
        ],
        ..PLAIN
    },
    Model {
        name: "rayon",
        colours: ["#007a58", "#3cc79b"],
        mark: "M0 -5.5L5.5 4.5H-5.5z",
        thread_per_connection: true,
        consequences: &[
            "Good, because what computes spreads over the cores without further work.",
            "Bad, because rayon is not made for waiting: a second pool has a thread for every connection.",
        ],
        tuned_by: &["RAYON_NUM_THREADS"],
        ..PLAIN
    },
    Model {
        name: "tokio",
        colours: ["#0062a3", "#62b1ee"],
        mark: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
        is_async: true,
        blocking_calls: Some((512, "runtime::Builder::max_blocking_threads")),
        // <https://docs.rs/tokio/latest/tokio/time/fn.sleep.html>
        millisecond_timer: true,
        consequences: &[
            "Good, because a waiting request costs a task and not a thread, and most network libraries speak tokio.",
            "Bad, because functions become async, and whatever blocks or computes for long has to be handed to spawn_blocking.",
        ],
        tuned_by: &["TOKIO_WORKER_THREADS"],
        ..PLAIN
    },
    Model {
        name: "async-std",
        colours: ["#a8447f", "#e48fc0"],
        mark: "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z",
        is_async: true,
        discontinued: Some(
            "async-std is discontinued in favour of smol (RUSTSEC-2025-0052): measured for programs that still run \
             on it, not for new work.",
        ),
        blocking_calls: Some((500, "BLOCKING_MAX_THREADS")),
        tuned_by: &["ASYNC_STD_THREAD_COUNT", "BLOCKING_MAX_THREADS"],
        ..PLAIN
    },
    Model {
        name: "smol",
        colours: ["#bd4a00", "#f58a4b"],
        mark: "M0 -6L6 0L0 6L-6 0z",
        is_async: true,
        blocking_calls: Some((500, "BLOCKING_MAX_THREADS")),
        consequences: &[
            "Good, because a waiting request costs a small task, and the parts of the runtime can be chosen one by one.",
            "Bad, because functions become async, libraries made for tokio need an adapter, and blocking code has to be handed to unblock.",
        ],
        tuned_by: &["BLOCKING_MAX_THREADS", "SMOL_THREADS"],
        ..PLAIN
    },
    Model {
        name: "hybrid",
        colours: ["#2f7fb5", "#9ad3f5"],
        mark: "M-1.7 -5.5h3.4v3.8h3.8v3.4h-3.8v3.8h-3.4v-3.8h-3.8v-3.4h3.8z",
        is_async: true,
        blocking_calls: Some((512, "runtime::Builder::max_blocking_threads")),
        millisecond_timer: true,
        consequences: &[
            "Good, because computing on rayon cannot hold up what waits on tokio.",
            "Bad, because two pools share the cores by a fixed division, and results cross between them.",
        ],
        tuned_by: &["RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS"],
        ..PLAIN
    },
    Model {
        name: "floor",
        colours: ["#5f5f5f", "#a6a6a6"],
        mark: "M-5.5 -2h11v4h-11z",
        is_bound: true,
        ..PLAIN
    },
];

/// The row of a strategy, or of the strategy of an entry such as `tokio/misuse`; none for one that somebody brought.
pub fn find(entry: &str) -> Option<&'static Model> {
    let strategy = entry.split('/').next().unwrap_or(entry);
    MODELS.iter().find(|model| model.name == strategy)
}

/// Whether a strategy is a bound that the others are held against, and nothing to choose.
pub fn is_bound(strategy: &str) -> bool {
    find(strategy).is_some_and(|model| model.is_bound)
}

/// The names of all strategies, in the order of the report.
pub fn names() -> [&'static str; MODELS.len()] {
    MODELS.map(|model| model.name)
}

/// What can be chosen: all but bounds.
pub fn choices() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(|model| !model.is_bound)
}

/// Environment variables that would tune one strategy and not the others.
pub fn tuning() -> impl Iterator<Item = &'static str> {
    MODELS.iter().flat_map(|model| model.tuned_by).copied()
}
