//! The CPUs that this process may use, pinning to one, and what their caches hold.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The CPUs that the calling thread may use, going up.
pub fn allowed_cpus() -> Option<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    Some((0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true)).collect())
}

/// Has the calling thread use one CPU only; processes and threads that it starts inherit that.
///
/// # Errors
/// If the system refuses, such as for a CPU that there is not.
pub fn pin_to(cpu: usize) -> io::Result<()> {
    let mut one = CpuSet::new();
    one.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}

/// As long as it is held, the calling thread uses one CPU only; what it starts meanwhile stays there.
#[derive(Debug)]
pub struct Pinned(CpuSet);

impl Pinned {
    /// To the last CPU that the thread may use: the first gets more interrupts on many machines.
    pub fn to_one_cpu() -> io::Result<Self> {
        let before = sched_getaffinity(Pid::from_raw(0))?;
        let last = allowed_cpus().and_then(|cpus| cpus.last().copied());
        pin_to(last.ok_or_else(|| io::Error::other("no CPU is allowed"))?)?;
        Ok(Pinned(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.0);
    }
}

/// What the last-level caches of all CPUs hold together, each counted once.
pub fn last_level_cache_bytes() -> Option<u64> {
    let mut caches = BTreeMap::new();
    for cpu in fs::read_dir("/sys/devices/system/cpu").ok()?.flatten() {
        let indices = fs::read_dir(cpu.path().join("cache")).into_iter().flatten().flatten();
        for index in indices {
            let read = |name| fs::read_to_string(index.path().join(name)).ok();
            let level = read("level").and_then(|level| level.trim().parse::<u32>().ok());
            let kib =
                read("size").and_then(|size| size.trim().strip_suffix('K')?.parse::<u64>().ok());
            if let (Some(level), Some(kib), Some(shared)) = (level, kib, read("shared_cpu_list")) {
                caches.insert((level, shared), kib * 1024);
            }
        }
    }
    let (last, _) = caches.keys().next_back()?;
    let of_last = caches.iter().filter(|((level, _), _)| level == last);
    Some(of_last.map(|(_, bytes)| bytes).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_while_pinned_stays_on_one_cpu() {
        let allowed_in_a_child = || {
            let status =
                std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
            let status = String::from_utf8(status.stdout).unwrap();
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            list.unwrap().trim().to_owned()
        };
        let (before, free) = (allowed_cpus().unwrap(), allowed_in_a_child());
        let pinned = Pinned::to_one_cpu().unwrap();
        let last = *before.last().unwrap();
        assert_eq!(allowed_cpus().unwrap(), [last]);
        assert_eq!(allowed_in_a_child(), last.to_string());
        drop(pinned);
        assert_eq!(allowed_cpus().unwrap(), before);
        assert_eq!(allowed_in_a_child(), free);
    }
}
