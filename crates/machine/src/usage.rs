//! What this process, or another, uses: CPU time, switches, threads, memory.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use protocol::Usage;

/// What this process, all its threads together, has used since it began.
pub fn usage() -> Option<Usage> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    Some(Usage {
        user_ns: nanoseconds(usage.user_time()),
        system_ns: nanoseconds(usage.system_time()),
        voluntary_switches: usage.voluntary_context_switches().try_into().ok()?,
        involuntary_switches: usage.involuntary_context_switches().try_into().ok()?,
    })
}

fn nanoseconds(time: TimeVal) -> u64 {
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_usec() * 1_000).unwrap_or(0)
}

/// What this process and all its children that have ended have used.
pub fn usage_with_children() -> Option<Usage> {
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let own = usage()?;
    Some(Usage {
        user_ns: own.user_ns + nanoseconds(children.user_time()),
        system_ns: own.system_ns + nanoseconds(children.system_time()),
        ..own
    })
}

/// Threads that this process has now.
pub fn threads() -> Option<u64> {
    // A directory's link count is 2 plus its subdirectories: one system call however many threads.
    fs::metadata("/proc/self/task").ok()?.nlink().checked_sub(2)
}

/// Peak resident memory of this process (VmHWM) in bytes. Not `ru_maxrss`, which a child inherits.
pub fn peak_memory_bytes() -> Option<u64> {
    status_kib("/proc/self/status", "VmHWM:").map(|kib| kib * 1024)
}

/// Resident memory of another process in bytes.
pub fn resident_bytes(process: u32) -> Option<u64> {
    status_kib(&format!("/proc/{process}/status"), "VmRSS:").map(|kib| kib * 1024)
}

pub(crate) fn status_kib(path: &str, field: &str) -> Option<u64> {
    let status = fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn usage_counts_cpu_time_and_the_switches_of_a_wait() {
        let before = usage().unwrap();
        let mut sum = 0_u64;
        for i in 0..20_000_000_u64 {
            sum = sum.wrapping_add(std::hint::black_box(i));
        }
        std::hint::black_box(sum);
        thread::sleep(Duration::from_millis(2));
        let used = usage().unwrap().since(&before);
        assert!(used.cpu_ns() > 0);
        assert!(used.voluntary_switches > 0);
    }

    #[test]
    fn peak_memory_is_known_on_linux() {
        assert!(peak_memory_bytes().unwrap() > 100_000);
    }
}
