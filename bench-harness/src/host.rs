//! `host.json`: the machine and the tools. Everything that is asked of Linux lies in this file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::plan::SCHEMA;

/// What the numbers depend on besides the code. A figure that the system does not give is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Host {
    pub(crate) schema: u32,
    pub(crate) cpu: Option<String>,
    pub(crate) cpus_online: Option<usize>,
    /// CPUs that the affinity mask and the control group allow.
    pub(crate) cpus_allowed: Option<usize>,
    pub(crate) virtualisation: Option<String>,
    pub(crate) governor: Option<String>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) kernel: Option<String>,
    pub(crate) load_average: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) rustc: Option<String>,
    pub(crate) git_revision: Option<String>,
    pub(crate) git_modified: Option<bool>,
    /// BLAKE3 of `Cargo.lock`.
    pub(crate) lock_file_blake3: Option<String>,
    /// Versions of the crates under comparison, from `cargo metadata`.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) allocator: String,
    /// What elementary things cost, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calibration: Option<Calibration>,
}

/// The limits that bound how much can be concurrent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Limits {
    pub(crate) connections_per_process: Option<u64>,
    pub(crate) threads_per_process: Option<u64>,
    pub(crate) kernel_threads_max: Option<u64>,
    pub(crate) kernel_pid_max: Option<u64>,
    pub(crate) vm_max_map_count: Option<u64>,
}

/// The crates whose versions matter to a reader.
const COMPARED: [&str; 9] = [
    "async-executor",
    "async-io",
    "async-std",
    "blocking",
    "crossbeam",
    "mio",
    "rayon",
    "smol",
    "tokio",
];

impl Host {
    /// Asks the system.
    pub(crate) fn observe(workspace: Option<&Path>) -> Self {
        let lock = workspace.and_then(|root| fs::read_to_string(root.join("Cargo.lock")).ok());
        let metadata = workspace.and_then(|root| {
            output("cargo", &["metadata", "--format-version=1", "--locked"], Some(root))
        });
        let git = |args: &[&str]| workspace.and_then(|root| output("git", args, Some(root)));
        Host {
            schema: SCHEMA,
            cpu: field("/proc/cpuinfo", "model name"),
            cpus_online: cpus(),
            cpus_allowed: Some(worker::limits::Limits::of_this_process().workers()),
            virtualisation: virtualisation(),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            memory_bytes: meminfo("MemTotal"),
            kernel: line("/proc/sys/kernel/osrelease"),
            load_average: line("/proc/loadavg"),
            limits: Limits {
                connections_per_process: worker::os::connections_that_fit(),
                threads_per_process: worker::os::threads_that_fit(),
                kernel_threads_max: number("/proc/sys/kernel/threads-max"),
                kernel_pid_max: number("/proc/sys/kernel/pid_max"),
                vm_max_map_count: number("/proc/sys/vm/max_map_count"),
            },
            rustc: output("rustc", &["--version"], workspace),
            git_revision: git(&["rev-parse", "HEAD"]),
            git_modified: git(&["status", "--porcelain", "--untracked-files=no"])
                .map(|changes| !changes.is_empty()),
            lock_file_blake3: lock
                .as_ref()
                .map(|text| blake3::hash(text.as_bytes()).to_hex().to_string()),
            versions: metadata.as_deref().map(versions).unwrap_or_default(),
            allocator: "the system's, for every strategy".to_owned(),
            calibration: None,
        }
    }
}

/// What all CPUs and this process with its children have done since some moment; nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    at: Instant,
    /// Time in which CPUs were busy, all of them together.
    busy_ns: Option<f64>,
    /// Time that the hypervisor gave to others.
    steal_ns: Option<f64>,
    /// CPU time of this process and of all its children that have ended.
    own_ns: Option<f64>,
    /// Time in which somebody waited for memory.
    memory_stall_ns: Option<f64>,
}

/// The difference of two [`Activity`]s.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elapsed {
    wall_ns: f64,
    cpus: f64,
    activity: Activity,
}

impl Activity {
    pub(crate) fn now() -> Self {
        let cpu = cpu_times();
        Activity {
            at: Instant::now(),
            busy_ns: cpu.map(|(busy, _)| busy),
            steal_ns: cpu.map(|(_, steal)| steal),
            own_ns: worker::os::usage_with_children().map(|usage| usage.cpu_ns() as f64),
            memory_stall_ns: stall_ns("/proc/pressure/memory"),
        }
    }

    pub(crate) fn since(&self, earlier: &Activity) -> Elapsed {
        let less = |now: Option<f64>, before: Option<f64>| {
            now.zip(before).map(|(now, before)| (now - before).max(0.0))
        };
        Elapsed {
            wall_ns: (self.at - earlier.at).as_nanos().max(1) as f64,
            cpus: cpus().unwrap_or(1) as f64,
            activity: Activity {
                at: self.at,
                busy_ns: less(self.busy_ns, earlier.busy_ns),
                steal_ns: less(self.steal_ns, earlier.steal_ns),
                own_ns: less(self.own_ns, earlier.own_ns),
                memory_stall_ns: less(self.memory_stall_ns, earlier.memory_stall_ns),
            },
        }
    }
}

impl Elapsed {
    /// CPU time of others, as a share of what all CPUs have. The system counts busy time in ticks of 10 ms,
    /// so that one tick a CPU says nothing.
    pub(crate) fn foreign(&self) -> Option<f64> {
        let foreign = self.activity.busy_ns? - self.activity.own_ns? - TICK_NS * self.cpus;
        Some((foreign / (self.wall_ns * self.cpus)).max(0.0))
    }

    /// Time that the hypervisor gave to others, as a share of what all CPUs have.
    pub(crate) fn steal(&self) -> Option<f64> {
        let steal = self.activity.steal_ns? - TICK_NS;
        Some((steal / (self.wall_ns * self.cpus)).max(0.0))
    }

    /// Share of the time in which somebody waited for memory.
    pub(crate) fn memory_stall(&self) -> Option<f64> {
        self.activity.memory_stall_ns.map(|stall| stall / self.wall_ns)
    }
}

/// By how much the kernel may delay a timer of this process to serve several at once.
pub(crate) fn timer_slack_ns() -> Option<f64> {
    line("/proc/self/timerslack_ns")?.parse().ok()
}

fn meminfo(name: &str) -> Option<u64> {
    let text = field("/proc/meminfo", name)?;
    let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Clock ticks of /proc/stat: 100 a second on every architecture that matters.
const TICK_NS: f64 = 1e7;

/// Busy time and steal of all CPUs together since the system started, nanoseconds.
fn cpu_times() -> Option<(f64, f64)> {
    let line = line("/proc/stat")?;
    let ticks: Option<Vec<f64>> =
        line.strip_prefix("cpu ")?.split_whitespace().map(|ticks| ticks.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guest times are in user and nice already.
    let &[user, nice, system, _, _, irq, softirq, steal, ..] = &ticks?[..] else { return None };
    Some(((user + nice + system + irq + softirq) * TICK_NS, steal * TICK_NS))
}

fn cpus() -> Option<usize> {
    line("/sys/devices/system/cpu/online").as_deref().and_then(count_cpus)
}

/// Time in which some task was stalled, from a file of the kernel's pressure stall information.
fn stall_ns(path: &str) -> Option<f64> {
    let line = line(path)?;
    let total = line
        .strip_prefix("some ")?
        .split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    total.parse::<f64>().ok().map(|microseconds| microseconds * 1e3)
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn number(path: &str) -> Option<u64> {
    line(path)?.parse().ok()
}

/// The value of `name: value` in a file of such lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn virtualisation() -> Option<String> {
    if let Some(kind) = output("systemd-detect-virt", &["--vm"], None).filter(|kind| kind != "none")
    {
        return Some(kind);
    }
    let flags = field("/proc/cpuinfo", "flags")?;
    flags.split_whitespace().any(|flag| flag == "hypervisor").then(|| "a hypervisor".to_owned())
}

fn output(program: &str, args: &[&str], folder: Option<&Path>) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The number of CPUs in a list such as `0-3,8`.
fn count_cpus(list: &str) -> Option<usize> {
    list.split(',').try_fold(0, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some(count + last.checked_sub(first)? + 1)
    })
}

/// The versions of the compared crates in what `cargo metadata` prints.
fn versions(metadata: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let metadata = serde_json::from_str::<Metadata>(metadata);
    metadata
        .map_or_else(|_| Vec::new(), |metadata| metadata.packages)
        .into_iter()
        .filter(|package| COMPARED.contains(&package.name.as_str()))
        .map(|package| (package.name, package.version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_are_counted() {
        assert_eq!(count_cpus("0"), Some(1));
        assert_eq!(count_cpus("0-3,8"), Some(5));
        assert_eq!(count_cpus("3-0"), None);
        assert_eq!(count_cpus(""), None);
    }

    #[test]
    fn what_a_neighbour_computes_is_foreign_and_what_a_child_computes_is_not() {
        let moment = |at, busy, own| Activity {
            at,
            busy_ns: Some(busy),
            steal_ns: Some(0.0),
            own_ns: Some(own),
            memory_stall_ns: None,
        };
        let start = Instant::now();
        let end = start + std::time::Duration::from_secs(10);
        let cpus = cpus().unwrap() as f64;
        let (own, foreign) = (4e9, 2e9);
        let elapsed = moment(end, own + foreign, own).since(&moment(start, 0.0, 0.0));
        let expected = (foreign - TICK_NS * cpus) / (1e10 * cpus);
        assert!((elapsed.foreign().unwrap() - expected).abs() < 1e-9);
        assert_eq!(elapsed.memory_stall(), None);
        assert!(Activity::now().busy_ns.unwrap() > 0.0);
    }

    #[test]
    fn versions_come_from_cargo() {
        let metadata = r#"{"packages": [{"name": "tokio", "version": "1.2.3", "id": "x"},
            {"name": "other", "version": "1.0.0", "id": "y"}]}"#;
        assert_eq!(versions(metadata), BTreeMap::from([("tokio".to_owned(), "1.2.3".to_owned())]));
        assert!(versions("not JSON").is_empty());
    }

    #[test]
    fn this_machine_has_a_kernel_and_memory() {
        let host = Host::observe(None);
        assert!(host.kernel.is_some());
        assert!(host.memory_bytes.unwrap() > 1 << 20);
        assert_eq!(host.git_revision, None);
    }
}
