//! Which requests a service of one's own gets, what they take and what it has to achieve.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use worker::selection::UsageError;
use workloads::traffic::MAX_CLASSES;

mod ask;
mod check;
mod draft;
mod file;
mod kinds;
mod lacks;
mod models;
mod new;
mod sound;
mod table;
pub(crate) mod values;

pub(crate) use check::check;
pub(crate) use new::{NewArgs, new};

/// Largest profile file: a longer one is some other file.
const MAX_FILE: u64 = 64 * 1024;

/// A service as its engineer describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceProfile {
    pub(crate) name: String,
    pub(crate) load: Load,
    /// At least one; their shares add up to 1,000.
    pub(crate) classes: Vec<RequestClass>,
    pub(crate) objective: Objective,
    pub(crate) limits: Limits,
    pub(crate) preferences: Preferences,
}

/// Who asks how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Clients, each with one request under way at most.
    pub(crate) connections: u64,
    /// Requests a second, whatever the server does; `None` for as many as it can serve in time.
    pub(crate) rate: Option<u64>,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestClass {
    pub(crate) name: String,
    /// How many of a thousand requests are of this kind; at least one.
    pub(crate) per_mille: u32,
    /// Waiting for somebody else.
    #[serde(rename = "wait_ns", with = "nanoseconds")]
    pub(crate) wait: Duration,
    /// Computing.
    #[serde(rename = "cpu_ns", with = "nanoseconds")]
    pub(crate) cpu: Duration,
    /// Size of the answer.
    pub(crate) payload_bytes: u64,
    /// Whether the wait is a blocking call that has no async form.
    pub(crate) blocking: bool,
}

/// What has to be achieved, and what is to be best beyond that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Objective {
    /// Time within which 99 of 100 requests have to be answered.
    #[serde(rename = "p99_ns", with = "nanoseconds")]
    pub(crate) p99: Duration,
    pub(crate) optimise: Optimise,
}

/// What is to be best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Optimise {
    /// Most requests a second within the objective
    Throughput,
    /// Shortest 99th percentile of the latency
    P99,
    /// Least CPU time a request
    Cpu,
    /// Least memory
    Memory,
}

/// What the process may use at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) threads: Option<u64>,
}

/// Which models are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preferences {
    /// Leaves out what is discontinued.
    pub(crate) maintained_only: bool,
    /// Leaves out everything async.
    pub(crate) no_async: bool,
    /// Whether it is called from synchronous code that owns its threads.
    pub(crate) callable_from_sync: bool,
    /// Who is taken where measurements tie; the others follow.
    pub(crate) order: Vec<String>,
    pub(crate) exclude: Vec<String>,
}

impl ServiceProfile {
    /// Reads and checks a profile file.
    ///
    /// # Errors
    /// One sentence with file, line, key and the mend.
    pub(crate) fn read(path: &Path) -> Result<Self, UsageError> {
        let (file, text) = text_of(path)?;
        Self::parse(&text).map_err(|refusal| refusal.in_file(&file, &text))
    }

    fn parse(text: &str) -> Result<Self, table::Refusal> {
        sound::profile(&file::RawProfile::parse(text)?)
    }

    /// Mean waiting of a request.
    pub(crate) fn mean_wait(&self) -> Duration {
        self.mean(|class| class.wait)
    }

    /// Mean computing of a request.
    pub(crate) fn mean_cpu(&self) -> Duration {
        self.mean(|class| class.cpu)
    }

    /// CPUs that computing alone keeps busy at the given rate.
    pub(crate) fn offered_cpus(&self) -> Option<f64> {
        self.load.rate.map(|rate| rate as f64 * self.mean_cpu().as_secs_f64())
    }

    /// Requests under way at the given rate if none has to queue, by Little's law: rate × mean time.
    pub(crate) fn under_way(&self) -> Option<f64> {
        let time = self.mean_wait() + self.mean_cpu();
        self.load.rate.map(|rate| rate as f64 * time.as_secs_f64())
    }

    /// The service when so many of the requests of each class, in thousandths of all, wait in a blocking call;
    /// `None` if it has too many classes then.
    pub(crate) fn with_blocking(&self, blocked: impl Fn(&RequestClass) -> u32) -> Option<Self> {
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

/// The file's name for messages, and its text.
fn text_of(path: &Path) -> Result<(String, String), UsageError> {
    let file = path.display().to_string();
    let refuse = |reason: String| table::Refusal { at: None, key: String::new(), reason };
    let refuse = |reason: String| refuse(reason).in_file(&file, "");
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(
        |error| {
            refuse(format!(
                "cannot be read: {error}: give a profile file (`profile new` writes one)"
            ))
        },
    )?;
    if bytes.len() as u64 > MAX_FILE {
        let reason = "is larger than 64 KiB: give a profile file (`profile new` writes one)";
        return Err(refuse(reason.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        refuse("is not UTF-8 text: give a profile file (`profile new` writes one)".to_owned())
    })?;
    Ok((file, text))
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
        let known = Optimise::value_variants();
        known.iter().copied().find(|known| known.to_string() == text).ok_or_else(|| {
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

#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;
