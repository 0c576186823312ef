//! The parent's half of the protocol: starts a process for a cell, holds it to its time limit, checks
//! its answer, and turns whatever goes wrong into a [`Failure`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use machine::{Pinned, TextPath};
use protocol::{
    Digest, Fact, Facts, Failure, FailureKind, Mark, Measured, Placement, Reply, Request,
    RunRequest, Sample, SamplingPlan, ServeRequest, Window, to_line,
};
use serde_json::Value;
use workloads::{Kind, find};

use crate::child::Child;
use crate::overspent::overspent;
use crate::selection;

/// Connections that the latency backend admits.
const BACKEND_CONNECTIONS: usize = 20_000;
/// Windows of one visit that may be void before it is given up.
const MAX_VOID: u64 = 2;

/// One process run of one cell.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The strategy's executable.
    pub program: &'a Path,
    /// An executable with the `peer` subcommand.
    pub peer: &'a Path,
    /// The strategy's variant.
    pub variant: &'a str,
    /// Name of the workload.
    pub workload: &'a str,
    /// Whether it is run or served.
    pub kind: Kind,
    /// Whether a run needs the latency backend beside it.
    pub backend: bool,
    /// Its parameters.
    pub params: &'a Value,
    /// Worker threads granted.
    pub workers: usize,
    /// On which CPUs its processes run.
    pub placement: Placement,
    /// How often to run it.
    pub sampling: SamplingPlan,
    /// Folder for input files.
    pub scratch: &'a Path,
    /// After which the process is killed.
    pub time_limit: Duration,
    /// The right answer.
    pub expected: Digest,
}

impl Visit<'_> {
    /// Starts the process, or two for a service, and returns what was measured. No process is left
    /// when it returns.
    ///
    /// # Errors
    /// The typed failure, also if the answer is wrong.
    pub fn run(&self) -> Result<Measured, Failure> {
        self.check_fit()?;
        let start = Instant::now();
        // Held to the end: whatever is started for this visit inherits it.
        let _pinned = match self.placement {
            Placement::Free => None,
            Placement::OneCpu => Some(Pinned::to_one_cpu()?),
        };
        let measured = match self.kind {
            Kind::Batch => self.run_batch(start + self.time_limit),
            Kind::Service => self.run_service(start + self.time_limit),
        }?;
        self.check(&measured, start.elapsed())?;
        Ok(measured)
    }

    /// What does not fit is not tried: where files run out depends on the strategy, and is no figure of it.
    fn check_fit(&self) -> Result<(), Failure> {
        let unsupported = |reason| Failure::new(FailureKind::Unsupported, reason);
        // What is unknown or out of range is for the worker to say.
        let Some(entry) = find(self.workload) else { return Ok(()) };
        let Ok(case) = entry.case(self.params) else { return Ok(()) };
        selection::check_fit(&entry, &case).map_err(unsupported)
    }

    fn run_batch(&self, deadline: Instant) -> Result<Measured, Failure> {
        let backend = self.backend.then(|| Backend::start(self.peer, deadline)).transpose()?;
        let mut worker = Child::worker(self.program)?;
        let scratch = TextPath::of(self.scratch)?;
        let request = Request::Run(RunRequest {
            backend: backend.as_ref().map(|backend| backend.address),
            variant: self.variant.to_owned(),
            workload: self.workload.to_owned(),
            params: self.params.clone(),
            workers: self.workers,
            sampling: self.sampling,
            scratch: scratch.text(),
        });
        match worker.ask(&request, deadline)? {
            Reply::Measured(measured) => Ok(measured),
            other => Err(unexpected(other, "measured")),
        }
    }

    fn run_service(&self, deadline: Instant) -> Result<Measured, Failure> {
        let mut server = Child::worker(self.program)?;
        let request = Request::Serve(ServeRequest {
            variant: self.variant.to_owned(),
            workload: self.workload.to_owned(),
            params: self.params.clone(),
            workers: self.workers,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        });
        let (address, how) = match server.ask(&request, deadline)? {
            Reply::Ready { address, how } => (address, how),
            other => return Err(unexpected(other, "ready")),
        };
        let driven = self.drive(&mut server, address, deadline);
        let mut measured = driven.map_err(|failure| match failure.failure {
            // What the generator saw is often only the server's end.
            FailureKind::Crashed => server.obituary().unwrap_or(failure),
            _ => failure,
        })?;
        measured.how = how;
        Ok(measured)
    }

    /// Drives windows of load against a server that listens.
    fn drive(
        &self,
        server: &mut Child,
        target: SocketAddr,
        deadline: Instant,
    ) -> Result<Measured, Failure> {
        let mut generator = Child::peer(self.peer, "the load generator")?;
        let mut void = 0;
        let (workload, params) = (self.workload.to_owned(), self.params.clone());
        match generator.ask(&Request::Load { workload, params, target }, deadline)? {
            Reply::Connected => {}
            other => return Err(unexpected(other, "connected")),
        }
        let mut warmup_ns = Vec::new();
        let mut samples: Vec<Sample> = Vec::new();
        let mut latency = BTreeMap::new();
        let mut measured_ns = 0;
        let mut peak_threads = None;
        let mut worker_threads = None;
        let mut peak_memory_bytes = None;
        while self.sampling.wants_more(samples.len(), measured_ns) {
            let since = Instant::now();
            let before = mark(server, deadline)?;
            let window = match go(&mut generator, deadline) {
                Err(failure) if failure.failure == FailureKind::Void && void < MAX_VOID => {
                    void += 1;
                    continue;
                }
                other => other?,
            };
            let after = mark(server, deadline)?;
            peak_threads = peak_threads.max(after.threads);
            worker_threads = worker_threads.max(after.worker_threads);
            peak_memory_bytes = after.peak_memory_bytes;
            if warmup_ns.len() < self.sampling.warmup as usize {
                warmup_ns.push(window.wall_ns);
                continue;
            }
            measured_ns += window.wall_ns;
            for (ns, count) in window.latency_ns {
                *latency.entry(ns).or_insert(0) += count;
            }
            let usage = after.usage.zip(before.usage).map(|(after, before)| after.since(&before));
            let spent =
                usage.map_or(0, |usage| usage.cpu_ns()) + window.generator_cpu_ns.unwrap_or(0);
            if let Some(reason) = overspent(spent, since.elapsed()) {
                return Err(Failure::new(FailureKind::Crashed, format!("reported {reason}")));
            }
            let mut facts: Facts = after.facts.into_iter().chain(window.facts).collect();
            facts.extend(window.generator_cpu_ns.map(|ns| (Fact::GeneratorCpuNs, ns)));
            if void > 0 {
                facts.insert(Fact::VoidWindows, void);
            }
            samples.push(Sample { wall_ns: window.wall_ns, usage, digest: window.digest, facts });
        }
        Ok(Measured {
            how: None,
            warmup_ns,
            samples,
            peak_threads,
            worker_threads,
            peak_memory_bytes,
            latency_ns: latency.into_iter().collect(),
        })
    }

    /// Holds what a worker says against what can be seen from outside.
    fn check(&self, measured: &Measured, elapsed: Duration) -> Result<(), Failure> {
        let enough = self.sampling.min_samples.max(1) as usize;
        if measured.samples.len() < enough {
            let reason = format!("reported {} samples of {enough}", measured.samples.len());
            return Err(Failure::new(FailureKind::Crashed, reason));
        }
        for (number, sample) in measured.samples.iter().enumerate() {
            if sample.digest != self.expected {
                let reason = format!(
                    "sample {} answered {} where {} is right",
                    number + 1,
                    sample.digest,
                    self.expected
                );
                return Err(Failure::new(FailureKind::WrongAnswer, reason));
            }
        }
        let spent = measured.samples.iter().filter_map(|s| Some(s.usage?.cpu_ns()));
        if let Some(reason) = overspent(spent.fold(0, u64::saturating_add), elapsed) {
            return Err(Failure::new(FailureKind::Crashed, format!("reported {reason}")));
        }
        let reported = measured.measured_ns();
        if u128::from(reported) > elapsed.as_nanos()
            || measured.samples.iter().any(|s| s.wall_ns == 0)
        {
            let reason = format!(
                "reported times of {reported} ns in all where {} ns passed",
                elapsed.as_nanos()
            );
            return Err(Failure::new(FailureKind::Crashed, reason));
        }
        Ok(())
    }
}

/// The latency backend in a process of its own, which ends when this is dropped.
pub struct Backend {
    address: SocketAddr,
    _process: Child,
}

impl Backend {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// If it does not come up before the deadline.
    pub fn start(peer: &Path, deadline: Instant) -> Result<Self, Failure> {
        let mut process = Child::peer(peer, "the backend")?;
        match process.ask(&Request::Backend { connections: BACKEND_CONNECTIONS }, deadline)? {
            Reply::Ready { address, .. } => Ok(Backend { address, _process: process }),
            other => Err(unexpected(other, "ready")),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A strategy that serves in a process of its own, which ends when this is dropped.
pub struct Served {
    address: SocketAddr,
    process: Child,
}

impl Served {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// If it does not come up before the deadline.
    pub fn start(
        program: &Path,
        request: ServeRequest,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let mut process = Child::worker(program)?;
        match process.ask(&Request::Serve(request), deadline)? {
            Reply::Ready { address, .. } => Ok(Served { address, process }),
            other => Err(unexpected(other, "ready")),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }
}

fn mark(server: &mut Child, deadline: Instant) -> Result<Mark, Failure> {
    match server.ask(&Request::Mark, deadline)? {
        Reply::Marked(mark) => Ok(mark),
        other => Err(unexpected(other, "marked")),
    }
}

fn go(generator: &mut Child, deadline: Instant) -> Result<Window, Failure> {
    match generator.ask(&Request::Go, deadline)? {
        Reply::Window(window) => Ok(window),
        other => Err(unexpected(other, "window")),
    }
}

/// What a strategy's executable says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// Name of the strategy.
    pub strategy: String,
    /// Its variants, the default one first.
    pub variants: Vec<String>,
    /// The workloads of variants that do not have all of them.
    pub only: BTreeMap<String, Vec<String>>,
}

impl Description {
    /// Whether a variant has a workload.
    pub fn has(&self, variant: &str, workload: &str) -> bool {
        self.only.get(variant).is_none_or(|only| only.iter().any(|name| name == workload))
    }
}

/// Asks a strategy's executable for its name and variants.
///
/// # Errors
/// The typed failure if it does not speak the protocol.
pub fn describe(program: &Path) -> Result<Description, Failure> {
    let mut worker = Child::worker(program)?;
    match worker.ask(&Request::Describe, Instant::now() + Duration::from_secs(10))? {
        Reply::Described { strategy, variants, only } => {
            Ok(Description { strategy, variants, only })
        }
        other => Err(unexpected(other, "described")),
    }
}

/// Has a process of its own compute the right answer, so that its memory ends with it.
///
/// # Errors
/// If the input cannot be made, or the process fails.
pub fn oracle(
    peer: &Path,
    workload: &str,
    params: &Value,
    scratch: &Path,
    workers: usize,
) -> Result<Digest, Failure> {
    let mut oracle = Child::peer(peer, "the oracle")?;
    let path = TextPath::of(scratch)?;
    let request = Request::Oracle {
        workload: workload.to_owned(),
        params: params.clone(),
        scratch: path.text(),
        workers,
    };
    match oracle.ask(&request, Instant::now() + Duration::from_secs(600))? {
        Reply::Expected { digest } => Ok(digest),
        Reply::Failed(Failure { failure, reason }) => {
            Err(Failure::new(failure, format!("the oracle failed: {reason}")))
        }
        other => Err(unexpected(other, "expected")),
    }
}

fn unexpected(reply: Reply, wanted: &str) -> Failure {
    match reply {
        Reply::Failed(failure) => failure,
        other => {
            let line: String = to_line(&other).chars().take(60).collect();
            Failure::new(FailureKind::Crashed, format!("replied {line} where {wanted} was due"))
        }
    }
}
