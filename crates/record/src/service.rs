//! Which requests a service of one's own gets, what they take and what it has to achieve.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workloads::service::MIN_SIZE;
use workloads::traffic::{self, Classes, MAX_CLASSES};

use crate::values;

mod lacks;
mod models;

/// A service as its engineer describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceProfile {
    /// What it is called.
    pub name: String,
    /// How often it is called.
    pub load: Load,
    /// At least one; their shares add up to 1,000.
    pub classes: Vec<RequestClass>,
    /// What it has to achieve.
    pub objective: Objective,
    /// What it may use.
    pub limits: Limits,
    /// Which models are wanted.
    pub preferences: Preferences,
}

/// How many clients ask, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Clients, each with one request under way at most.
    pub connections: u64,
    /// Requests a second, whatever the server does; `None` for as many as it can serve in time.
    pub rate: Option<u64>,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestClass {
    /// What it is called.
    pub name: String,
    /// How many of a thousand requests are of this kind; at least one.
    pub per_mille: u32,
    /// Waiting for something else, such as a backend or a disk; whole nanoseconds in JSON.
    #[serde(rename = "wait_ns", with = "nanoseconds")]
    pub wait: Duration,
    /// Computing, on one CPU; whole nanoseconds in JSON.
    #[serde(rename = "cpu_ns", with = "nanoseconds")]
    pub cpu: Duration,
    /// Size of the answer, bytes.
    pub payload_bytes: u64,
    /// Whether the wait is a blocking call that has no async form.
    pub blocking: bool,
}

/// What has to be achieved, and what is to be best beyond that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// Time within which 99 of 100 requests have to be answered; whole nanoseconds in JSON.
    #[serde(rename = "p99_ns", with = "nanoseconds")]
    pub p99: Duration,
    /// What is to be best beyond that.
    pub optimise: Optimise,
}

/// What is to be best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimise {
    /// Most requests a second within the objective.
    Throughput,
    /// Shortest 99th percentile of the latency.
    P99,
    /// Least CPU time a request.
    Cpu,
    /// Least memory.
    Memory,
}

/// What the process may use at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Resident memory, bytes; `None` for no limit.
    pub memory_bytes: Option<u64>,
    /// Threads of the process; `None` for no limit.
    pub threads: Option<u64>,
}

/// Which models are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Leaves out what is discontinued.
    pub maintained_only: bool,
    /// Leaves out everything async.
    pub no_async: bool,
    /// Whether it is called from synchronous code that owns its threads.
    pub callable_from_sync: bool,
    /// Names of the models that are taken where measurements tie, the first before the second; the others follow.
    pub order: Vec<String>,
    /// Names of the models that are left out.
    pub exclude: Vec<String>,
}

impl Default for Preferences {
    /// Those of a profile file that says nothing of them.
    fn default() -> Self {
        Preferences {
            maintained_only: true,
            no_async: false,
            callable_from_sync: false,
            order: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl ServiceProfile {
    /// The classes of a service as the workload takes them.
    ///
    /// # Errors
    /// If they are more or larger than it takes.
    pub fn traffic_classes(&self) -> Result<Classes, String> {
        let classes = self.classes.iter().map(|class| traffic::RequestClass {
            per_mille: class.per_mille,
            wait: class.wait,
            cpu_us: class.cpu.as_micros() as u64,
            size: u32::try_from(class.payload_bytes).unwrap_or(u32::MAX).max(MIN_SIZE),
            blocking: class.blocking,
        });
        Classes::new(classes.collect())
    }

    /// Mean waiting of a request.
    pub fn mean_wait(&self) -> Duration {
        self.mean(|class| class.wait)
    }

    /// Mean computing of a request.
    pub fn mean_cpu(&self) -> Duration {
        self.mean(|class| class.cpu)
    }

    /// CPUs that computing alone keeps busy at the given rate; `None` where none is given.
    pub fn offered_cpus(&self) -> Option<f64> {
        self.load.rate.map(|rate| rate as f64 * self.mean_cpu().as_secs_f64())
    }

    /// Requests under way at the given rate if none has to queue, by Little's law: rate × mean time; `None` where no
    /// rate is given.
    pub fn under_way(&self) -> Option<f64> {
        let time = self.mean_wait() + self.mean_cpu();
        self.load.rate.map(|rate| rate as f64 * time.as_secs_f64())
    }

    /// The service when so many of the requests of each class, in thousandths of all, wait in a blocking call;
    /// `None` if it has too many classes then.
    pub fn with_blocking(&self, blocked: impl Fn(&RequestClass) -> u32) -> Option<Self> {
        let parts = self.classes.iter().flat_map(|class| {
            let blocked = blocked(class);
            [(false, class.per_mille - blocked), (true, blocked)]
                .map(|(blocking, per_mille)| RequestClass { blocking, per_mille, ..class.clone() })
        });
        let classes: Vec<_> = parts.filter(|class| class.per_mille > 0).collect();
        (classes.len() <= MAX_CLASSES).then(|| ServiceProfile { classes, ..self.clone() })
    }

    fn mean(&self, of: impl Fn(&RequestClass) -> Duration) -> Duration {
        self.classes.iter().map(|class| of(class) * class.per_mille).sum::<Duration>() / 1_000
    }
}

impl Optimise {
    /// All of them.
    pub const ALL: [Optimise; 4] =
        [Optimise::Throughput, Optimise::P99, Optimise::Cpu, Optimise::Memory];

    /// What it means, for a command line's help.
    pub fn about(self) -> &'static str {
        match self {
            Optimise::Throughput => "Most requests a second within the objective",
            Optimise::P99 => "Shortest 99th percentile of the latency",
            Optimise::Cpu => "Least CPU time a request",
            Optimise::Memory => "Least memory",
        }
    }
}

impl fmt::Display for Optimise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Optimise::Throughput => "throughput",
            Optimise::P99 => "p99",
            Optimise::Cpu => "cpu",
            Optimise::Memory => "memory",
        })
    }
}

impl FromStr for Optimise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Optimise::ALL;
        known.into_iter().find(|known| known.to_string() == text).ok_or_else(|| {
            let known: Vec<_> = known.iter().map(Optimise::to_string).collect();
            format!("{} is unknown: give one of {}", values::quoted(text), known.join(", "))
        })
    }
}

/// Times in JSON: whole nanoseconds, as everywhere in a run's folder.
mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}
