//! Limits on made-up trees of control groups.

use super::*;
use crate::cgroup::tests::tree;

const VERSION_1: [(&str, &str); 2] = [
    ("proc/self/cgroup", "3:pids:/a/b\n2:memory:/a/b\n1:cpu:/a/b\n"),
    (
        "proc/self/mountinfo",
        "1 0 0:1 / /c/cpu rw - cgroup cgroup rw,cpu\n\
         2 0 0:2 / /c/memory rw - cgroup cgroup rw,memory\n\
         3 0 0:3 / /c/pids rw - cgroup cgroup rw,pids\n",
    ),
];
const VERSION_2: [(&str, &str); 2] = [
    ("proc/self/cgroup", "0::/a/b\n"),
    ("proc/self/mountinfo", "1 0 0:1 / /c rw - cgroup2 cgroup2 rw\n"),
];

fn limits(base: &[(&str, &str)], files: &[(&str, &str)], ulimits: Ulimits) -> Limits {
    Limits::below(tree(&[base, files].concat()).path(), ulimits)
}

fn bound(most: u64, whose: &str) -> Option<Bound> {
    Some(Bound { most, whose: whose.to_owned() })
}

#[test]
fn a_cpu_quota_need_not_be_whole_and_a_parent_may_have_the_smaller() {
    let unlimited =
        [("c/cpu/a/b/cpu.cfs_quota_us", "-1"), ("c/cpu/a/b/cpu.cfs_period_us", "100000")];
    let parent = [("c/cpu/a/cpu.cfs_quota_us", "150000"), ("c/cpu/a/cpu.cfs_period_us", "100000")];
    let quota = |base: &[_], files: &[_]| limits(base, files, Ulimits::default()).cpu_quota;
    assert_eq!(quota(&VERSION_1, &unlimited), None);
    assert_eq!(quota(&VERSION_1, &[&unlimited[..], &parent].concat()), Some(1.5));
    let own = ("c/a/b/cpu.max", "max 100000\n");
    assert_eq!(quota(&VERSION_2, &[own]), None);
    assert_eq!(quota(&VERSION_2, &[own, ("c/a/cpu.max", "25000 50000\n")]), Some(0.5));
}

#[test]
fn workers_are_the_whole_cpus_of_quota_and_mask_and_one_at_least() {
    let cpus = |affinity, cpu_quota| {
        let limits = Limits { affinity: Some(affinity), cpu_quota, ..Limits::default() };
        (limits.cpus(), limits.workers())
    };
    assert_eq!(cpus(4, None), (4.0, 4));
    assert_eq!(cpus(4, Some(1.5)), (1.5, 1));
    assert_eq!(cpus(4, Some(0.5)), (0.5, 1));
    assert_eq!(cpus(2, Some(8.0)), (2.0, 2));
}

#[test]
fn throttled_times_of_all_levels_are_added_in_nanoseconds() {
    let of = |base: &[(&str, &str)], files: &[(&str, &str)]| {
        throttled(&Groups::below(tree(&[base, files].concat()).path()))
    };
    let stat = [("c/a/cpu.stat", "throttled_usec 5\n"), ("c/a/b/cpu.stat", "throttled_usec 2\n")];
    assert_eq!(of(&VERSION_2, &stat), None, "no quota");
    let with = [&stat[..], &[("c/a/cpu.max", "1 2\n")]].concat();
    assert_eq!(of(&VERSION_2, &with), Some(7_000));
    let version_1 = [
        ("c/cpu/a/b/cpu.cfs_quota_us", "5"),
        ("c/cpu/a/b/cpu.cfs_period_us", "10"),
        ("c/cpu/a/b/cpu.stat", "nr_throttled 1\nthrottled_time 9\n"),
    ];
    assert_eq!(of(&VERSION_1, &version_1), Some(9));
}

#[test]
fn memory_is_what_the_tightest_group_leaves_and_files_it_keeps_count_as_free() {
    let host = ("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n");
    let mib = |count: u64| (count << 20).to_string();
    let (limit, parent, used, cache) =
        (mib(300), mib(200), mib(150), format!("total_inactive_file {}\n", mib(50)));
    let files = [
        host,
        ("c/memory/a/b/memory.limit_in_bytes", limit.as_str()),
        ("c/memory/a/b/memory.usage_in_bytes", used.as_str()),
        ("c/memory/a/b/memory.stat", cache.as_str()),
    ];
    let of = |base: &[_], files: &[_]| {
        let limits = limits(base, files, Ulimits::default());
        (limits.memory_limit, limits.memory)
    };
    let allows = |most: u64, limit: u64| {
        (Some(limit << 20), bound(most << 20, &format!("the control group allows {limit} MiB")))
    };
    assert_eq!(of(&VERSION_1, &files), allows(200, 300));
    let above = [
        ("c/memory/a/memory.limit_in_bytes", parent.as_str()),
        ("c/memory/a/memory.usage_in_bytes", used.as_str()),
    ];
    assert_eq!(of(&VERSION_1, &[&files[..], &above].concat()), allows(50, 200));
    let version_2 =
        [host, ("c/a/b/memory.max", limit.as_str()), ("c/a/b/memory.current", used.as_str())];
    assert_eq!(of(&VERSION_2, &version_2), allows(150, 300));
    let unlimited = [host, ("c/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n")];
    assert_eq!(
        of(&VERSION_1, &unlimited),
        (None, bound(4_096_000_000, "what this machine has free"))
    );
    assert_eq!(of(&VERSION_2, &[host, ("c/a/b/memory.max", "max\n")]).0, None);
    assert_eq!(of(&[], &[]), (None, None));
}

#[test]
fn address_space_bounds_memory_and_threads() {
    let files = [
        ("proc/meminfo", "MemAvailable: 4000000 kB\n"),
        ("proc/self/status", "VmSize:\t  1024 kB\nCapEff:\t0000000000000000\n"),
    ];
    let ulimits = Ulimits { address_space: Some(101 << 20), ..Ulimits::default() };
    let limits = limits(&[], &files, ulimits);
    assert_eq!(limits.memory, bound(100 << 20, "ulimit -v"));
    assert_eq!(limits.threads, bound(24, "ulimit -v"));
}

#[test]
fn threads_are_bounded_by_what_is_left_of_a_group_and_by_the_user_who_is_no_administrator() {
    let pids = [
        ("c/pids/a/b/pids.max", "max\n"),
        ("c/pids/a/pids.max", "100\n"),
        ("c/pids/a/pids.current", "30\n"),
    ];
    let maps = ("proc/sys/vm/max_map_count", "65530\n");
    let of = |files: &[_], processes| {
        limits(&VERSION_1, files, Ulimits { processes, ..Ulimits::default() }).threads
    };
    assert_eq!(of(&[maps], None), bound(16_318, "vm.max_map_count"));
    let with = [&pids[..], &[maps]].concat();
    assert_eq!(of(&with, None), bound(54, "pids.max of the control group"));
    let status = |mask| ("proc/self/status", mask);
    assert_eq!(of(&[maps, status("CapEff:\t0\n")], Some(50)), bound(25, "ulimit -u"));
    let root = status("CapEff:\t000001ffffffffff\n");
    assert_eq!(of(&[maps, root], Some(50)), bound(16_318, "vm.max_map_count"));
}

#[test]
fn connections_leave_room_for_other_files() {
    let of = |files| limits(&[], &[], Ulimits { files, ..Ulimits::default() }).connections;
    assert_eq!(of(Some(1_024)), bound(960, "ulimit -Hn"));
    assert_eq!(of(Some(40)), bound(0, "ulimit -Hn"));
    assert_eq!(of(None), None);
}

#[test]
fn this_process_has_limits_and_what_exceeds_them_is_refused() {
    let here = Limits::of_this_process();
    assert!(here.affinity.unwrap() >= 1 && here.workers() >= 1);
    assert!(memory_available_bytes().unwrap() > 1 << 20);
    assert!(threads_that_fit().unwrap() > 10);
    assert!(check_threads(10).is_ok());
    let error = check_threads(u64::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(check_connections(u64::MAX).unwrap_err().contains("fit here"));
}
