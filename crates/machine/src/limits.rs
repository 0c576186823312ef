//! What the system allows this process: CPUs, memory, threads and open files, and whose limit it is.

use std::io;
use std::path::Path;
use std::{fs, thread};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::allowed_cpus;
use crate::cgroup::{Groups, Version};
use protocol::units;

/// Files that a program has open besides its connections.
pub const OTHER_FILES: u64 = 64;
/// Processes and threads of a control group that a strategy leaves to what stands beside it.
const OTHER_THREADS: u64 = 16;
/// Address space that a thread takes: its stack, as Rust's standard library makes it, and its guard page.
const THREAD_ADDRESSES: u64 = (2 << 20) + (64 << 10);

/// The limits of this process at one moment. What the system does not tell, or does not limit, is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// CPUs that the affinity mask of the calling thread has.
    pub affinity: Option<usize>,
    /// CPU time that the control groups allow, in CPUs: 1.5 for 150 ms of it in every 100 ms.
    pub cpu_quota: Option<f64>,
    /// Memory that the control groups allow, in bytes, whether it is used already or not.
    pub memory_limit: Option<u64>,
    /// Memory that can be had without swapping, in bytes.
    pub memory: Option<Bound>,
    /// Threads that one process can have.
    pub threads: Option<Bound>,
    /// Connections that one process can hold.
    pub connections: Option<Bound>,
}

/// How much there can be of something, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The most that fits.
    pub most: u64,
    /// The limit that decides, such as `ulimit -Hn` or `the control group allows 300 MiB`.
    pub whose: String,
}

/// Limits that belong to the process and not to a group; `None` for unlimited.
#[derive(Debug, Clone, Copy, Default)]
struct Ulimits {
    files: Option<u64>,
    processes: Option<u64>,
    address_space: Option<u64>,
}

impl Ulimits {
    fn of_this_process() -> Self {
        let of = |resource| getrlimit(resource).ok().filter(|(soft, _)| *soft != RLIM_INFINITY);
        Ulimits {
            files: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(_, hard)| hard),
            processes: of(Resource::RLIMIT_NPROC).map(|(soft, _)| soft),
            address_space: of(Resource::RLIMIT_AS).map(|(soft, _)| soft),
        }
    }
}

impl Limits {
    /// Asks the system.
    pub fn of_this_process() -> Self {
        Limits {
            affinity: allowed_cpus().map(|cpus| cpus.len()),
            ..Limits::below(Path::new("/"), Ulimits::of_this_process())
        }
    }

    /// As a tree of files below `root` describes them.
    fn below(root: &Path, ulimits: Ulimits) -> Self {
        let groups = Groups::below(root);
        Limits {
            affinity: None,
            cpu_quota: quota(&groups),
            memory_limit: memory_limit(&groups),
            memory: memory(root, &groups, ulimits),
            threads: threads(root, &groups, ulimits),
            connections: ulimits.files.map(|files| Bound {
                most: files.saturating_sub(OTHER_FILES),
                whose: "ulimit -Hn".to_owned(),
            }),
        }
    }

    /// CPUs that can be kept busy: what the affinity mask has and the control groups allow, such as 1.5.
    pub fn cpus(&self) -> f64 {
        let affinity = self.affinity.or_else(|| Some(thread::available_parallelism().ok()?.get()));
        let affinity = affinity.unwrap_or(1) as f64;
        self.cpu_quota.map_or(affinity, |quota| quota.min(affinity))
    }

    /// Worker threads that can compute without being stopped by the quota: whole [`cpus`](Self::cpus), one
    /// at least.
    pub fn workers(&self) -> usize {
        (self.cpus() as usize).max(1)
    }
}

impl Bound {
    fn smallest(bounds: impl IntoIterator<Item = Option<Bound>>) -> Option<Bound> {
        bounds.into_iter().flatten().min_by_key(|bound| bound.most)
    }
}

/// CPU time that the groups allow, in CPUs.
fn quota(groups: &Groups) -> Option<f64> {
    let of = |group: crate::cgroup::Group<'_>| {
        let (quota, period): (f64, f64) = match group.version {
            Version::One => {
                // Minus one for no quota, which is not a number here.
                (
                    group.number("cpu.cfs_quota_us")? as f64,
                    group.number("cpu.cfs_period_us")? as f64,
                )
            }
            Version::Two => {
                let text = group.text("cpu.max")?;
                let (quota, period) = text.trim().split_once(' ')?;
                (quota.parse().ok()?, period.parse().ok()?)
            }
        };
        Some(quota / period).filter(|quota| quota.is_finite() && *quota > 0.0)
    };
    groups.under("cpu").filter_map(of).min_by(f64::total_cmp)
}

/// Time in which the control groups kept runnable threads of theirs from running because their CPU quota was
/// used up, summed over CPUs, nanoseconds; `None` without a quota.
pub fn throttled_ns() -> Option<u64> {
    throttled(&Groups::of_this_process())
}

fn throttled(groups: &Groups) -> Option<u64> {
    let of = |group: crate::cgroup::Group<'_>| match group.version {
        Version::One => group.field("cpu.stat", "throttled_time"),
        Version::Two => Some(group.field("cpu.stat", "throttled_usec")? * 1_000),
    };
    quota(groups)?;
    // A group's own count does not hold the times in which a parent's quota was used up.
    groups.under("cpu").filter_map(of).reduce(|all, one| all + one)
}

/// The limit of a group in bytes. Without one, version 1 writes the largest number of whole pages.
fn limit_of(group: crate::cgroup::Group<'_>) -> Option<u64> {
    let limit = match group.version {
        Version::One => group.number("memory.limit_in_bytes"),
        Version::Two => group.number("memory.max"),
    };
    limit.filter(|&limit| limit < 1 << 62)
}

fn memory_limit(groups: &Groups) -> Option<u64> {
    groups.under("memory").filter_map(limit_of).min()
}

/// Memory that can be had: what the system has available, what each group leaves, and address space.
fn memory(root: &Path, groups: &Groups, ulimits: Ulimits) -> Option<Bound> {
    let in_group = |group: crate::cgroup::Group<'_>| {
        let limit = limit_of(group)?;
        let (usage, cache) = match group.version {
            Version::One => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.current", "inactive_file"),
        };
        // The kernel gives up what it keeps of files before it kills.
        let kept =
            group.number(usage)?.saturating_sub(group.field("memory.stat", cache).unwrap_or(0));
        Some(Bound {
            most: limit.saturating_sub(kept),
            whose: format!("the control group allows {}", units::bytes(limit as f64)),
        })
    };
    let available = kib(root, "proc/meminfo", "MemAvailable:");
    let system =
        available.map(|most| Bound { most, whose: "what this machine has free".to_owned() });
    let addresses = ulimits.address_space.map(|limit| Bound {
        most: limit.saturating_sub(kib(root, "proc/self/status", "VmSize:").unwrap_or(0)),
        whose: "ulimit -v".to_owned(),
    });
    Bound::smallest(groups.under("memory").map(in_group).chain([system, addresses]))
}

/// Threads that one process can have.
fn threads(root: &Path, groups: &Groups, ulimits: Ulimits) -> Option<Bound> {
    let read = |path: &str| -> Option<u64> {
        fs::read_to_string(root.join(path)).ok()?.trim().parse().ok()
    };
    let bound =
        |whose: &str, most: Option<u64>| most.map(|most| Bound { most, whose: whose.to_owned() });
    // A thread takes four memory maps: stack, guard page, signal stack and its guard page.
    let maps = read("proc/sys/vm/max_map_count").map(|maps| maps.saturating_sub(256) / 4);
    let kernel = read("proc/sys/kernel/threads-max").map(|max| max / 2);
    let ids = read("proc/sys/kernel/pid_max").map(|max| max / 2);
    let in_group = |group: crate::cgroup::Group<'_>| {
        let left = group.number("pids.max")?.saturating_sub(group.number("pids.current")?);
        bound("pids.max of the control group", Some(left.saturating_sub(OTHER_THREADS)))
    };
    let user = ulimits.processes.filter(|_| !is_exempt(root)).map(|most| most / 2);
    let addresses = ulimits.address_space.map(|limit| {
        let used = kib(root, "proc/self/status", "VmSize:").unwrap_or(0);
        limit.saturating_sub(used) / 2 / THREAD_ADDRESSES
    });
    Bound::smallest(groups.under("pids").map(in_group).chain([
        bound("vm.max_map_count", maps),
        bound("kernel.threads-max", kernel),
        bound("kernel.pid_max", ids),
        bound("ulimit -u", user),
        bound("ulimit -v", addresses),
    ]))
}

/// Whether the limit on processes does not hold for this one, which may do what an administrator does:
/// capabilities(7), `CAP_SYS_ADMIN` and `CAP_SYS_RESOURCE`.
fn is_exempt(root: &Path) -> bool {
    let capabilities = field(root, "proc/self/status", "CapEff:");
    let mask = capabilities.and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or(0);
    mask & (1 << 21 | 1 << 24) != 0
}

/// A size in a file of lines such as `VmSize:  1234 kB`, in bytes.
fn kib(root: &Path, path: &str, name: &str) -> Option<u64> {
    Some(field(root, path, name)?.parse::<u64>().ok()? * 1024)
}

fn field(root: &Path, path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path)).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next().map(str::to_owned)
}

/// Memory that can be had without swapping, in bytes.
pub fn memory_available_bytes() -> Option<u64> {
    Limits::of_this_process().memory.map(|bound| bound.most)
}

/// Connections that fit under the hard limit on open files of one process, leaving room for the
/// files that a program has open anyway.
pub fn connections_that_fit() -> Option<u64> {
    Limits::of_this_process().connections.map(|bound| bound.most)
}

/// Says why not where `connections` do not fit that each take `files` in one process.
///
/// # Errors
/// Half a sentence, such as `1,000 connections, 960 fit here (ulimit -Hn)`.
pub fn check_fit(connections: u64, files: u64) -> Result<(), String> {
    let Some(Bound { most, whose }) = Limits::of_this_process().connections else { return Ok(()) };
    let most = most / files;
    if connections <= most {
        return Ok(());
    }
    let plural = if connections == 1 { "" } else { "s" };
    let [connections, most] = [connections, most].map(units::grouped);
    Err(format!("{connections} connection{plural}, {most} fit here ({whose})"))
}

/// Refuses in one sentence when `connections` do not fit.
///
/// # Errors
/// The sentence.
pub fn check_connections(connections: u64) -> Result<(), String> {
    match Limits::of_this_process().connections {
        Some(Bound { most, whose }) if connections > most => Err(format!(
            "connections={connections} is more than the limit on open files allows: {most} fit \
             here; lower it or raise the hard limit ({whose})"
        )),
        _ => Ok(()),
    }
}

/// Threads that one process can have here, worked out beforehand: Rust's standard library aborts the
/// process when a new thread cannot get its signal stack, so the limit must not be found by trying.
pub fn threads_that_fit() -> Option<u64> {
    Limits::of_this_process().threads.map(|bound| bound.most)
}

/// Refuses in one sentence when `threads` do not fit.
///
/// # Errors
/// An [`Unsupported`](io::ErrorKind::Unsupported) error with the sentence.
pub fn check_threads(threads: u64) -> io::Result<()> {
    match Limits::of_this_process().threads {
        Some(Bound { most, whose }) if threads > most => Err(protocol::unsupported(format!(
            "{threads} threads are more than this system gives: about {most} fit ({whose})"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
