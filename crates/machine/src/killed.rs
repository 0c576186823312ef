//! Whether a process that was killed was killed for want of memory, and whose limit that was.

use std::fs;
use std::path::Path;

use crate::cgroup::{Groups, Version};
use crate::limits::Limits;
use protocol::units;

/// How often the kernel has killed for want of memory so far. What the system does not tell is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kills {
    /// In the control group of this process, which its children share.
    group: Option<u64>,
    /// On the whole system.
    system: Option<u64>,
}

impl Kills {
    /// What has been killed up to now.
    pub fn so_far() -> Self {
        Kills::below(Path::new("/"))
    }

    fn below(root: &Path) -> Self {
        let of_group = |group: crate::cgroup::Group<'_>| match group.version {
            Version::One => group.field("memory.oom_control", "oom_kill"),
            Version::Two => group.field("memory.events", "oom_kill"),
        };
        let counters = fs::read_to_string(root.join("proc/vmstat")).unwrap_or_default();
        Kills {
            group: Groups::below(root).under("memory").find_map(of_group),
            system: counters
                .lines()
                .find_map(|line| line.strip_prefix("oom_kill "))
                .and_then(|count| count.trim().parse().ok()),
        }
    }

    /// Whether the kernel has killed for want of memory since `earlier`: by the group if it counts, because
    /// elsewhere on the system it may have killed another; `None` where nothing counts.
    fn have_risen_since(&self, earlier: &Kills) -> Option<bool> {
        let risen = |now: Option<u64>, before: Option<u64>| Some(now? > before?);
        risen(self.group, earlier.group).or_else(|| risen(self.system, earlier.system))
    }
}

/// What is said of a process that was killed by SIGKILL, which this program did not send: that memory ran
/// out if the kernel has counted that since `before`.
pub fn how_killed(before: &Kills) -> String {
    told(Kills::so_far().have_risen_since(before), &Limits::of_this_process(), total_memory())
}

fn told(for_memory: Option<bool>, limits: &Limits, total: Option<u64>) -> String {
    let bytes = |count: u64| units::bytes(count as f64);
    let group = limits.memory_limit.filter(|&limit| total.is_none_or(|total| limit < total));
    let whose = match (group, total) {
        (Some(limit), _) => format!(" (the control group allows {})", bytes(limit)),
        (None, Some(total)) => format!(" (this machine has {})", bytes(total)),
        (None, None) => String::new(),
    };
    match for_memory {
        Some(true) => format!("was killed: out of memory{whose}"),
        Some(false) => "was killed by signal 9 (SIGKILL) before it answered".to_owned(),
        None => {
            let how = "was killed by signal 9 (SIGKILL) before it answered";
            format!("{how}, perhaps for want of memory{whose}")
        }
    }
}

fn total_memory() -> Option<u64> {
    crate::usage::status_kib("/proc/meminfo", "MemTotal:").map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::tests::tree;

    fn kills(files: &[(&str, &str)]) -> Kills {
        Kills::below(tree(files).path())
    }

    #[test]
    fn kills_are_counted_by_the_group_of_either_version_or_else_by_the_system() {
        let system = ("proc/vmstat", "nr_free_pages 5\noom_kill 4\n");
        let version_1 = [
            ("proc/self/cgroup", "2:memory:/a\n"),
            ("proc/self/mountinfo", "2 0 0:2 / /c rw - cgroup cgroup rw,memory\n"),
            ("c/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
            system,
        ];
        assert_eq!(kills(&version_1), Kills { group: Some(1), system: Some(4) });
        let version_2 = [
            ("proc/self/cgroup", "0::/a\n"),
            ("proc/self/mountinfo", "2 0 0:2 / /c rw - cgroup2 cgroup2 rw\n"),
            ("c/a/memory.events", "oom 3\noom_kill 2\n"),
        ];
        assert_eq!(kills(&version_2), Kills { group: Some(2), system: None });
        let before = kills(&version_1);
        let elsewhere = Kills { system: Some(5), ..before };
        assert_eq!(elsewhere.have_risen_since(&before), Some(false));
        assert_eq!(Kills { group: Some(2), ..before }.have_risen_since(&before), Some(true));
        let no_group = Kills { group: None, ..before };
        assert_eq!(Kills { group: None, ..elsewhere }.have_risen_since(&no_group), Some(true));
        assert_eq!(kills(&[]).have_risen_since(&kills(&[])), None);
    }

    #[test]
    fn a_kill_for_want_of_memory_names_whose_limit_it_was() {
        let group = Limits { memory_limit: Some(200 << 20), ..Limits::default() };
        let total = Some(1 << 30);
        assert_eq!(
            told(Some(true), &group, total),
            "was killed: out of memory (the control group allows 200 MiB)"
        );
        let none = Limits::default();
        assert_eq!(
            told(Some(true), &none, total),
            "was killed: out of memory (this machine has 1.00 GiB)"
        );
        let generous = Limits { memory_limit: Some(2 << 30), ..Limits::default() };
        assert!(told(Some(true), &generous, total).contains("this machine has 1.00 GiB"));
        assert_eq!(
            told(Some(false), &group, total),
            "was killed by signal 9 (SIGKILL) before it answered"
        );
        assert!(told(None, &group, total).contains("answered, perhaps for want of memory"));
    }
}
