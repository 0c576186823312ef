//! `host.json`: the machine and the tools. Everything that is asked of Linux lies in this folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::cargo::Origin;
use crate::executable::Executable;
use crate::plan::SCHEMA;
use crate::programs::{self, Program, Source, workspace_root};

mod cpu;
mod mounts;
mod workspace;

/// Beginnings of the names of variables that programs inherit and that change what they do: of the C library
/// (`mallopt(3)`, `ld.so(8)`), of other allocators, of Rust's threads, and of what is compared.
const VARIABLES: [&str; 12] = [
    "ASYNC_GLOBAL_EXECUTOR_",
    "ASYNC_STD_",
    "BLOCKING_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "MALLOC_",
    "MIMALLOC_",
    "_RJEM_MALLOC_CONF",
    "RAYON_",
    "RUST_MIN_STACK",
    "SMOL_",
    "TOKIO_",
];

/// What is written where the system says that there is none, which is not the same as saying nothing.
const NONE: &str = "none";

/// What the numbers depend on besides the code. A figure that the system does not give is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Host {
    pub(crate) schema: u32,
    pub(crate) cpu: Option<String>,
    /// Numbers of the CPU's model and revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_signature: Option<String>,
    pub(crate) cpus_online: Option<usize>,
    /// CPUs that the affinity mask and the control group allow.
    pub(crate) cpus_allowed: Option<usize>,
    /// CPU time that the control group allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_quota: Option<CpuQuota>,
    /// The hypervisor; `none` on bare metal.
    pub(crate) virtualisation: Option<String>,
    /// How the kernel chooses the CPUs' frequency; `none` where it cannot.
    pub(crate) governor: Option<String>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) kernel: Option<String>,
    /// The C library that programs are linked with when they start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) c_library: Option<String>,
    /// Type of the file system on which workloads read and write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_system: Option<String>,
    pub(crate) load_average: Option<String>,
    /// Variables that change how programs allocate, link or size their pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) limits: Limits,
    /// BLAKE3 of the harness, which generates load, stands for backends and knows the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) harness_blake3: Option<String>,
    /// Whether the run has built its programs, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// What the strategies' executables tell of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) programs: Option<BTreeMap<String, Executable>>,
    /// The compiler; this and what follows only of programs that the run has built.
    pub(crate) rustc: Option<String>,
    pub(crate) git_revision: Option<String>,
    pub(crate) git_modified: Option<bool>,
    /// BLAKE3 of `Cargo.lock`.
    pub(crate) lock_file_blake3: Option<String>,
    /// Versions of the crates under comparison, from `Cargo.lock`.
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

/// CPU time that a control group allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CpuQuota {
    /// As much as the CPUs give.
    Unlimited,
    /// As much as so many CPUs would give.
    Cpus(f64),
}

impl Host {
    /// Asks the system. Workloads read and write in `folder`.
    pub(crate) fn observe(source: &Source, programs: &[Program], folder: &Path) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let allowed = worker::limits::Limits::of_this_process();
        let executable = |program: &Program| (program.strategy.clone(), program.executable.clone());
        let mut host = Host {
            schema: SCHEMA,
            cpu: cpu::name(&cpuinfo),
            cpu_signature: cpu::signature(&cpuinfo),
            cpus_online: cpus(),
            cpus_allowed: Some(allowed.workers()),
            cpu_quota: Some(allowed.cpu_quota.map_or(CpuQuota::Unlimited, CpuQuota::Cpus)),
            virtualisation: virtualisation(&cpuinfo),
            governor: governor(),
            // What there is, as far as a control group allows it.
            memory_bytes: [meminfo("MemTotal"), allowed.memory_limit].into_iter().flatten().min(),
            kernel: line("/proc/sys/kernel/osrelease"),
            c_library: c_library(),
            file_system: file_system(folder),
            load_average: line("/proc/loadavg"),
            environment: Some(environment(std::env::vars_os())),
            limits: Limits {
                connections_per_process: worker::os::connections_that_fit(),
                threads_per_process: worker::os::threads_that_fit(),
                kernel_threads_max: number("/proc/sys/kernel/threads-max"),
                kernel_pid_max: number("/proc/sys/kernel/pid_max"),
                vm_max_map_count: number("/proc/sys/vm/max_map_count"),
            },
            harness_blake3: own_hash(),
            programs: Some(programs.iter().map(executable).collect()),
            allocator: "the system's, for every strategy".to_owned(),
            ..Host::default()
        };
        let root = workspace_root();
        host.origin = source.origin(root.as_deref());
        if let (Some(Origin::Built(_)), Some(root)) = (&host.origin, &root) {
            workspace::note(&mut host, root);
        }
        host
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

fn virtualisation(cpuinfo: &str) -> Option<String> {
    // It fails where there is none, and says so.
    let detected = Command::new("systemd-detect-virt").arg("--vm").output().ok();
    let detected = detected.and_then(|output| String::from_utf8(output.stdout).ok());
    let detected = detected.map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty());
    // Only x86 tells by itself.
    let told = || {
        let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
        let is_virtual = flags.split_whitespace().any(|flag| flag == "hypervisor");
        Some(if is_virtual { "a hypervisor" } else { NONE }.to_owned())
    };
    detected.clone().filter(|kind| kind != NONE).or_else(told).or(detected)
}

/// Virtual machines mostly have none.
fn governor() -> Option<String> {
    let folder = Path::new("/sys/devices/system/cpu");
    let frequency = folder.join("cpu0/cpufreq");
    match frequency.exists() {
        true => line(frequency.join("scaling_governor").to_str()?),
        false => folder.exists().then(|| NONE.to_owned()),
    }
}

/// Name and version, such as `glibc 2.41`; of musl the name.
fn c_library() -> Option<String> {
    let musl = || {
        let files = fs::read_dir("/lib").ok()?.flatten();
        let mut names = files.map(|file| file.file_name());
        names.any(|name| name.to_string_lossy().starts_with("ld-musl")).then(|| "musl".to_owned())
    };
    output("getconf", &["GNU_LIBC_VERSION"], None).or_else(musl)
}

fn file_system(folder: &Path) -> Option<String> {
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    mounts::file_system(&fs::canonicalize(folder).ok()?, &String::from_utf8_lossy(&mountinfo))
}

fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    variables
        .map(|(name, value)| [name, value].map(|text| text.to_string_lossy().into_owned()))
        .filter(|[name, _]| VARIABLES.iter().any(|known| name.starts_with(known)))
        .map(|[name, value]| (name, value))
        .collect()
}

fn own_hash() -> Option<String> {
    programs::hash(&std::env::current_exe().ok()?).ok()
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

    /// What is observed with these programs in a folder.
    fn observed(bin_dir: Option<std::path::PathBuf>) -> Host {
        let source = Source::new(bin_dir, Vec::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Host::observe(&source, &[], folder.path())
    }

    #[test]
    fn this_machine_tells_what_it_is() {
        let host = observed(None);
        assert!(host.kernel.is_some() && host.file_system.is_some() && host.governor.is_some());
        assert!(host.memory_bytes.unwrap() > 1 << 20);
        assert_eq!(host.harness_blake3.unwrap().len(), 64);
        assert!(host.versions.contains_key("tokio"), "{:?}", host.versions);
        let build = host.origin.as_ref().and_then(Origin::build).unwrap();
        assert!(build.rustflags.iter().any(|flag| flag.contains("align-all-functions")));
        assert_eq!(build.profile["lto"], "thin");
    }

    #[test]
    fn the_workspace_is_not_claimed_for_ready_built_programs() {
        let bin_dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/true", bin_dir.path().join("strategy-mine")).unwrap();
        let host = observed(Some(bin_dir.path().to_owned()));
        assert_eq!(host.origin, Some(Origin::ReadyBuilt));
        assert_eq!((host.git_revision, host.git_modified, host.rustc), (None, None, None));
        assert!(host.versions.is_empty() && host.lock_file_blake3.is_none());
    }

    #[test]
    fn variables_that_change_programs_are_noted_and_no_others() {
        let variables =
            [("LD_PRELOAD", "/lib/jemalloc.so"), ("MALLOC_ARENA_MAX", "1"), ("TOKEN", "x")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let noted = environment(variables.into_iter());
        assert_eq!(noted.keys().collect::<Vec<_>>(), ["LD_PRELOAD", "MALLOC_ARENA_MAX"]);
    }

    #[test]
    fn runs_without_the_newer_fields_stay_readable() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/reference-quick/host.json");
        let host: Host = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!((host.origin, host.file_system, host.cpu_quota), (None, None, None));
    }
}
