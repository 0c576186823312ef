//! The messages between the harness and its workers: JSON, one object a line.
//!
//! Requests arrive on the worker's standard input, replies leave on its standard output, diagnostics
//! go to standard error. `docs/src/protocol.md` documents them for strategies written in other languages.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Failure, How, Mark, Measured, SamplingPlan, Window};

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

/// Writes one reply to standard output.
///
/// # Errors
/// If it is closed.
pub fn send(reply: &Reply) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", to_line(reply))?;
    out.flush()
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
    use crate::FailureKind;
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
}
