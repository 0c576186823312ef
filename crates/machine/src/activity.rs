//! What the CPUs and this process have done since some moment.

use std::fs;
use std::time::Instant;

/// What all CPUs and this process with its children have done since some moment; nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Activity {
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
pub struct Elapsed {
    wall_ns: f64,
    cpus: f64,
    activity: Activity,
}

impl Activity {
    /// What has been done so far.
    pub fn now() -> Self {
        let cpu = cpu_times();
        Activity {
            at: Instant::now(),
            busy_ns: cpu.map(|(busy, _)| busy),
            steal_ns: cpu.map(|(_, steal)| steal),
            own_ns: crate::usage_with_children().map(|usage| usage.cpu_ns() as f64),
            memory_stall_ns: stall_ns("/proc/pressure/memory"),
        }
    }

    /// What was done since an earlier moment.
    pub fn since(&self, earlier: &Activity) -> Elapsed {
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
    pub fn foreign(&self) -> Option<f64> {
        let foreign = self.activity.busy_ns? - self.activity.own_ns? - TICK_NS * self.cpus;
        Some((foreign / (self.wall_ns * self.cpus)).max(0.0))
    }

    /// Time that the hypervisor gave to others, as a share of what all CPUs have.
    pub fn steal(&self) -> Option<f64> {
        let steal = self.activity.steal_ns? - TICK_NS;
        Some((steal / (self.wall_ns * self.cpus)).max(0.0))
    }

    /// Share of the time in which somebody waited for memory.
    pub fn memory_stall(&self) -> Option<f64> {
        self.activity.memory_stall_ns.map(|stall| stall / self.wall_ns)
    }
}

/// By how much the kernel may delay a timer of this process to serve several at once.
pub(crate) fn timer_slack_ns() -> Option<f64> {
    line("/proc/self/timerslack_ns")?.parse().ok()
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

/// CPUs that are online, if the system tells.
pub fn cpus() -> Option<usize> {
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
}
