//! What a workload is: its specification, its sizes per profile, its limit and its answer.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Census, Digest, Facts, Load, Params, Unit};

/// What kind of work a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Mostly waiting for something outside the process.
    Io,
    /// Mostly computing.
    Cpu,
    /// Waiting and computing in one request.
    Mixed,
    /// Handing things over, waiting for each other, and being interrupted.
    Coordination,
    /// Having very many tasks.
    Scale,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Io => "io",
            Class::Cpu => "cpu",
            Class::Mixed => "mixed",
            Class::Coordination => "coordination",
            Class::Scale => "scale",
        })
    }
}

/// The one number by which the strategies of a workload are ordered; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Elapsed time of one run of the whole workload.
    Wall,
    /// Elapsed time of one run divided by the number of operations.
    WallPerOperation,
    /// User plus system CPU time of the process, divided by the number of operations.
    CpuPerOperation,
    /// 99th percentile of the latency of the operations that count, from the intended send time.
    LatencyP99,
    /// Time between two requests at the highest rate that is served in time.
    Capacity,
    /// Longest time between two ticks of the same ticker.
    WorstGap,
    /// Operations still running some time after they were cancelled. Not judged: it is a fact.
    StillRunning,
    /// Memory that one more task takes, in the process and in the kernel together.
    BytesPerTask,
    /// Largest resident memory of the process, bytes.
    PeakMemory,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Metric::Wall => "wall time",
            Metric::WallPerOperation => "wall time per operation",
            Metric::CpuPerOperation => "CPU time per operation",
            Metric::LatencyP99 => "p99 from the intended send time",
            Metric::Capacity => "capacity",
            Metric::WorstGap => "worst tick gap",
            Metric::StillRunning => "operations still running",
            Metric::BytesPerTask => "bytes per task",
            Metric::PeakMemory => "peak memory",
        })
    }
}

/// How often a workload is run inside one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// After a warm-up, until the profile's time budget is used.
    Repeated,
    /// Once, without warm-up: it takes long, and there is nothing to warm.
    Once,
    /// Once, and in the first round only: a fact that another round would repeat.
    FirstRound,
}

/// The fixed facts of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Name, as in commands, files and reports.
    pub name: &'static str,
    /// Kind of work.
    pub class: Class,
    /// The question that the workload asks of a concurrency model.
    pub question: &'static str,
    /// What one operation is, in the singular.
    pub operation: &'static str,
    /// The number the strategies are ordered by, unless a case has one of its own.
    pub metric: Metric,
}

/// Where and with what a workload runs.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Folder for files. They are made once and found there by the next process.
    pub scratch: &'a Path,
    /// Worker threads granted.
    pub workers: usize,
    /// Where the backend listens, for a workload that asks for one.
    pub backend: Option<SocketAddr>,
}

impl<'a> Site<'a> {
    /// A place for an oracle or a test: one worker, no backend.
    pub fn alone(scratch: &'a Path) -> Self {
        Site { scratch, workers: 1, backend: None }
    }
}

/// What is known of the machine when the cases of a run are settled.
#[derive(Debug, Default, Clone, Copy)]
pub struct Grant {
    /// Worker threads granted.
    pub workers: usize,
    /// Time that one unit of [`burn`](crate::service::burn) takes here, nanoseconds.
    pub unit_ns: u64,
    /// Time that a thousand steps of [`toil`](crate::grain::toil) take here, nanoseconds.
    pub steps_ns: u64,
    /// Threads that one process can have here, if the platform tells.
    pub threads: Option<u64>,
    /// Requests per second that the slowest contestant serves in time, once it is known.
    pub capacity: Option<f64>,
}

/// How much to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Tiny sizes, to see that everything works; the numbers mean nothing.
    Smoke,
    /// A useful answer within five minutes on two cores.
    Quick,
    /// Full sizes and more rounds: about a quarter of an hour.
    Standard,
    /// Full sizes and many rounds, for close calls.
    Thorough,
}

impl Profile {
    /// All of them, the least first.
    pub const ALL: [Profile; 4] =
        [Profile::Smoke, Profile::Quick, Profile::Standard, Profile::Thorough];

    /// The word for it on a command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Smoke => "smoke",
            Profile::Quick => "quick",
            Profile::Standard => "standard",
            Profile::Thorough => "thorough",
        }
    }

    /// What it is for, for a command line's help.
    pub fn about(self) -> &'static str {
        match self {
            Profile::Smoke => "Tiny sizes, to see that everything works: the numbers mean nothing",
            Profile::Quick => "A useful answer: the whole comparison in less than five minutes",
            Profile::Standard => "Full sizes: about a quarter of an hour, which decides most",
            Profile::Thorough => {
                "Full sizes and up to 120 rounds: decides what can be decided, overnight"
            }
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The best that the machine allows, against which every strategy is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// A time that follows from the parameters.
    Time {
        /// Nanoseconds of wall time for one run.
        ns: u64,
        /// Why it cannot be faster, as a formula.
        reason: String,
    },
    /// The sequential floor's wall time, measured in the same rounds, divided by the workers.
    SequentialOverWorkers,
    /// The same, but no less than the part of it that the largest job takes: a job has one worker.
    SequentialOrLargest {
        /// Size of the largest job.
        largest: u64,
        /// Size of all jobs together.
        all: u64,
    },
    /// What the cheapest variant of the floor costs, measured in the same rounds.
    Floor,
    /// The same, divided by the workers: the floor has one thread.
    FloorOverWorkers,
}

impl Limit {
    /// A limit known from the parameters.
    pub fn time(wall: Duration, reason: impl Into<String>) -> Self {
        let ns = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
        Limit::Time { ns, reason: reason.into() }
    }

    /// The limit in words.
    pub fn reason(&self) -> &str {
        match self {
            Limit::Time { reason, .. } => reason,
            Limit::SequentialOverWorkers => "sequential floor ÷ workers",
            Limit::SequentialOrLargest { .. } => {
                "the larger of sequential floor ÷ workers and the largest job"
            }
            Limit::Floor => "cheapest floor",
            Limit::FloorOverWorkers => "cheapest floor ÷ workers",
        }
    }
}

/// What one run works through, from which the rate of a single thread follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How much.
    pub count: u64,
    /// Of what.
    pub unit: Unit,
}

/// What batch workloads and services have in common.
pub trait Definition: Sized + Send + Sync + 'static {
    /// The fixed facts.
    const SPEC: Spec;
    /// The typed parameters.
    type Params: Params;

    /// The parameter sets that a profile measures, in the order of the report.
    fn cases(profile: Profile) -> Vec<Self::Params>;

    /// What tells this case from the workload's others, such as `n=1000`; empty if it has one only.
    fn label(params: &Self::Params) -> String;

    /// Number of operations in one run.
    fn operations(params: &Self::Params) -> u64;

    /// The physical bound with these parameters.
    fn limit(params: &Self::Params) -> Limit;

    /// What one run works through; none where a rate of it would tell nothing.
    fn amount(params: &Self::Params) -> Option<Amount> {
        let _ = params;
        None
    }

    /// The number by which the strategies are ordered with these parameters.
    fn metric(params: &Self::Params) -> Metric {
        let _ = params;
        Self::SPEC.metric
    }

    /// Whether [`settle`](Definition::settle) needs to know the capacity of the slowest contestant.
    fn rated(params: &Self::Params) -> bool {
        let _ = params;
        false
    }

    /// The parameters with what depends on the machine filled in: a value of 0 stands for that.
    fn settle(params: Self::Params, grant: &Grant) -> Self::Params {
        let _ = grant;
        params
    }

    /// How often it runs inside one process.
    fn sampling(params: &Self::Params) -> Sampling {
        let _ = params;
        Sampling::Repeated
    }
}

/// A unit of work with a known answer, saying nothing about scheduling.
pub trait Workload: Definition {
    /// What the kernels read.
    type Input: Send + Sync + 'static;

    /// Whether a run needs the latency backend beside it.
    const BACKEND: bool = false;

    /// Connections to the backend that a run keeps open.
    fn connections(params: &Self::Params) -> u64 {
        let _ = params;
        0
    }

    /// Makes the input, outside the clock.
    ///
    /// # Errors
    /// If a file cannot be made, or the backend cannot be reached.
    fn prepare(params: &Self::Params, site: &Site<'_>) -> io::Result<Self::Input>;

    /// Makes anew what a run uses up, outside the clock and before each run.
    fn renew(input: &Self::Input) {
        let _ = input;
    }

    /// The answer, computed one operation after the other.
    ///
    /// # Errors
    /// If a file cannot be read.
    fn expected(input: &Self::Input) -> io::Result<Digest>;

    /// Where the kernels note which threads they ran on.
    fn census(input: &Self::Input) -> &Census;

    /// What the kernels noted since the last call, besides threads.
    ///
    /// # Errors
    /// The sentence that says which rule of the workload the strategy broke.
    fn facts(input: &Self::Input) -> Result<Facts, String> {
        let _ = input;
        Ok(Facts::new())
    }

    /// Latencies of the operations since the last call, nanoseconds; none where they have none.
    fn latencies(input: &Self::Input) -> Vec<u64> {
        let _ = input;
        Vec::new()
    }
}

/// A network service: the strategy serves it, and a load generator in another process drives it.
pub trait Service: Definition {
    /// The service's shared state.
    fn new(params: &Self::Params) -> Self;

    /// The digest that the load generator arrives at when every answer is right.
    fn expected(params: &Self::Params) -> Digest;

    /// What the load generator does.
    fn load(params: &Self::Params) -> Load;

    /// Where the handlers note which threads they ran on.
    fn census(&self) -> &Census;

    /// What the handlers noted since the last call, besides threads.
    ///
    /// # Errors
    /// The sentence that says which rule of the service the strategy broke.
    fn facts(&self) -> Result<Facts, String> {
        Ok(Facts::new())
    }
}
