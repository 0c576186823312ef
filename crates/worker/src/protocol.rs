//! The messages between the harness and its workers: JSON, one object a line.
//!
//! Requests arrive on the worker's standard input, replies leave on its standard output, diagnostics
//! go to standard error. `docs/src/protocol.md` documents them for strategies written in other languages.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use workloads::{Digest, Facts};

use crate::seam::How;

/// The version that both sides state in every message.
pub const PROTOCOL: u32 = 1;

/// Any message with the protocol version it is written in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The version, [`PROTOCOL`].
    pub protocol: u32,
    /// The message itself.
    #[serde(flatten)]
    pub message: T,
}

/// What a worker or a peer is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Say who you are.
    Describe,
    /// Run a batch workload and reply `measured` or `failed`.
    Run(RunRequest),
    /// Serve a service, reply `ready`, answer every `mark`, end when standard input closes.
    Serve(ServeRequest),
    /// Reply `marked` with what has been used since the process began.
    Mark,
    /// To a peer: compute the answer one operation after the other and reply `expected`.
    Oracle {
        /// Name of the workload.
        workload: String,
        /// Its parameters.
        params: Value,
        /// Folder for input files.
        scratch: String,
        /// Worker threads granted.
        workers: usize,
    },
    /// To a peer: connect to a service, reply `connected`, await `go`.
    Load {
        /// Name of the service.
        workload: String,
        /// Its parameters.
        params: Value,
        /// Where it listens.
        target: SocketAddr,
    },
    /// To a connected peer: drive one window and reply `window`.
    Go,
    /// To a peer: be the latency backend, reply `ready`, end when standard input closes.
    Backend {
        /// Connections that it admits.
        connections: usize,
    },
}

/// Which cell to run and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// Name of the strategy's variant.
    pub variant: String,
    /// Name of the workload.
    pub workload: String,
    /// Its parameters.
    pub params: Value,
    /// Worker threads granted.
    pub workers: usize,
    /// How often to run it.
    pub sampling: SamplingPlan,
    /// Folder for input files, shared by all processes of a run. JSON has no paths that are not text: the
    /// harness gives such a folder another name.
    pub scratch: String,
    /// Where the latency backend listens, for a workload that asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<SocketAddr>,
}

/// Which service to serve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServeRequest {
    /// Name of the strategy's variant.
    pub variant: String,
    /// Name of the service.
    pub workload: String,
    /// Its parameters.
    pub params: Value,
    /// Worker threads granted.
    pub workers: usize,
    /// Address to bind; port 0 for any free one.
    pub listen: SocketAddr,
}

/// How often a cell is run inside one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplingPlan {
    /// Runs whose times are discarded.
    pub warmup: u32,
    /// Timed runs at least.
    pub min_samples: u32,
    /// After these, more of them until so much time has been measured, in nanoseconds.
    pub budget_ns: u64,
}

impl SamplingPlan {
    /// Most samples of one process, so that a reply stays small.
    pub const MAX_SAMPLES: u32 = 1_000;

    /// Whether another sample is due after `done` that took `measured_ns` together.
    pub fn wants_more(&self, done: usize, measured_ns: u64) -> bool {
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        done < self.min_samples.max(1) || (measured_ns < self.budget_ns && done < Self::MAX_SAMPLES)
    }
}

/// What a worker or a peer replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// To `describe`.
    Described {
        /// Name of the strategy.
        strategy: String,
        /// Its variants, the default one first.
        variants: Vec<String>,
        /// The workloads of variants that do not have all of them.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        only: BTreeMap<String, Vec<String>>,
    },
    /// To `run`: it was done.
    Measured(Measured),
    /// To `run`, `serve`, `load` or `go`: it could not be done.
    Failed(Failure),
    /// To `serve`: the service listens.
    Ready {
        /// Where.
        address: SocketAddr,
        /// In which form the strategy serves it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<How>,
    },
    /// To `mark`.
    Marked(Mark),
    /// To `oracle`.
    Expected {
        /// The right answer.
        digest: Digest,
    },
    /// To `load`: all connections are open.
    Connected,
    /// To `go`: the window is over.
    Window(Window),
}

/// What one process measured of a batch workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// In which form the strategy did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Wall times of the discarded runs, nanoseconds.
    pub warmup_ns: Vec<u64>,
    /// The timed runs.
    pub samples: Vec<Sample>,
    /// Most threads the process had at once, if the platform tells.
    pub peak_threads: Option<u64>,
    /// Distinct threads on which operations of one sample ran, at most.
    pub worker_threads: Option<u64>,
    /// Peak resident memory (VmHWM) in bytes, if the platform tells.
    pub peak_memory_bytes: Option<u64>,
    /// Latencies of single operations as (nanoseconds, count), three significant digits; empty where
    /// operations have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency_ns: Vec<(u64, u64)>,
}

/// One timed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Elapsed time in nanoseconds.
    pub wall_ns: u64,
    /// What the process used meanwhile, if the platform tells.
    pub usage: Option<Usage>,
    /// The answer.
    pub digest: Digest,
    /// Other numbers of this run, by name.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

/// Resources used by a process, all threads together, ended ones too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// User CPU time in nanoseconds.
    pub user_ns: u64,
    /// System CPU time in nanoseconds.
    pub system_ns: u64,
    /// Context switches because a thread waited.
    pub voluntary_switches: u64,
    /// Context switches because a thread's time was up.
    pub involuntary_switches: u64,
}

impl Usage {
    /// What was used between `earlier` and this.
    pub fn since(&self, earlier: &Usage) -> Usage {
        Usage {
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            system_ns: self.system_ns.saturating_sub(earlier.system_ns),
            voluntary_switches: self.voluntary_switches.saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }

    /// User plus system CPU time in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        self.user_ns + self.system_ns
    }
}

/// A service's state at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What the process has used since it began, if the platform tells.
    pub usage: Option<Usage>,
    /// Threads it has now.
    pub threads: Option<u64>,
    /// Distinct threads on which operations ran since the last mark.
    pub worker_threads: Option<u64>,
    /// Peak resident memory (VmHWM) in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Other numbers noted since the last mark, by name.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

/// What a load generator saw in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// From the first message sent to the last reply received, nanoseconds.
    pub wall_ns: u64,
    /// Digest over all replies.
    pub digest: Digest,
    /// Latencies as (nanoseconds, count).
    pub latency_ns: Vec<(u64, u64)>,
    /// The generator's own CPU time in nanoseconds, if the platform tells.
    pub generator_cpu_ns: Option<u64>,
    /// Other numbers, by name.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

/// Why a cell has no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind.
    pub failure: FailureKind,
    /// One sentence.
    pub reason: String,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(failure: FailureKind, reason: impl Into<String>) -> Self {
        Failure { failure, reason: reason.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::Unsupported => FailureKind::Unsupported,
            _ => FailureKind::Crashed,
        };
        Failure::new(kind, error.to_string())
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It did not answer within its time limit.
    Timeout,
    /// It ended early, broke the protocol, or reported an error.
    Crashed,
    /// It answered, and the answer was wrong.
    WrongAnswer,
    /// The model has no honest form of this workload, or the machine cannot give what it needs.
    Unsupported,
    /// The load generator could not keep its schedule, so that nothing was measured.
    Void,
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            FailureKind::Timeout => "timeout",
            FailureKind::Crashed => "crashed",
            FailureKind::WrongAnswer => "wrong-answer",
            FailureKind::Unsupported => "unsupported",
            FailureKind::Void => "void",
        })
    }
}

/// Writes a message as one line.
pub fn to_line<T: Serialize>(message: &T) -> String {
    #[derive(Serialize)]
    struct Borrowed<'a, T> {
        protocol: u32,
        #[serde(flatten)]
        message: &'a T,
    }
    let envelope = Borrowed { protocol: PROTOCOL, message };
    serde_json::to_string(&envelope).expect("messages are plain data")
}

/// Reads a message from one line.
///
/// # Errors
/// One sentence: the line is not JSON, not of this protocol version, or not a message of it.
pub fn from_line<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        protocol: u32,
    }
    let shown: String = line.chars().take(60).collect();
    let version: Version =
        serde_json::from_str(line).map_err(|_| format!("not a line of the protocol: {shown:?}"))?;
    if version.protocol != PROTOCOL {
        return Err(format!("protocol {} where {PROTOCOL} is spoken", version.protocol));
    }
    serde_json::from_str::<Envelope<T>>(line)
        .map(|envelope| envelope.message)
        .map_err(|error| format!("not a message of protocol {PROTOCOL} ({error}): {shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_its_line() {
        let request = Request::Oracle {
            workload: "map".into(),
            params: serde_json::json!({"blocks": 1}),
            scratch: "/tmp".into(),
            workers: 1,
        };
        let line = to_line(&request);
        assert!(line.starts_with(r#"{"protocol":1,"request":"oracle","#), "{line}");
        assert_eq!(from_line::<Request>(&line).unwrap(), request);

        let reply = Reply::Failed(Failure::new(FailureKind::WrongAnswer, "no"));
        assert_eq!(from_line::<Reply>(&to_line(&reply)).unwrap(), reply);
    }

    #[test]
    fn garbage_and_other_versions_are_named() {
        let refused = |line| from_line::<Reply>(line).unwrap_err();
        assert!(refused("hello").contains("not a line of the protocol: \"hello\""));
        assert_eq!(refused(r#"{"protocol":2}"#), "protocol 2 where 1 is spoken");
        assert!(refused(r#"{"protocol":1,"reply":"dance"}"#).contains("dance"));
    }

    #[test]
    fn sampling_stops_at_the_budget_but_not_before_the_minimum() {
        let plan = SamplingPlan { warmup: 1, min_samples: 3, budget_ns: 100 };
        assert!(plan.wants_more(2, 500));
        assert!(!plan.wants_more(3, 500));
        assert!(plan.wants_more(10, 99));
        let at_least_one = SamplingPlan { warmup: 0, min_samples: 0, budget_ns: 0 };
        assert!(at_least_one.wants_more(0, 0));
    }
}
