//! `host.json`: the machine and the tools. Everything that is asked of Linux lies in this file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::plan::SCHEMA;

/// What the numbers depend on besides the code. A figure that the system does not give is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
}

/// The limits that bound how much can be concurrent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
            cpus_online: line("/sys/devices/system/cpu/online").as_deref().and_then(count_cpus),
            cpus_allowed: std::thread::available_parallelism().ok().map(usize::from),
            virtualisation: virtualisation(),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            memory_bytes: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
                .map(|kib| kib * 1024),
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
        }
    }
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
