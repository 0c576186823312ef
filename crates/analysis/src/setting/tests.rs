//! What differs between two runs, and what keeps them apart.

use super::*;
use record::program::Build;
use record::program::Executable;

/// A host of which everything is known.
fn host() -> Host {
    let text = |text: &str| Some(text.to_owned());
    let program = Executable {
        architecture: text("x86_64"),
        compiler: text("1.95.0 (59807616e 2026-04-14)"),
        c_library: text("glibc"),
        aligned: Some(true),
    };
    Host {
        cpu: text("Xeon"),
        cpu_signature: text("GenuineIntel/6/143/8"),
        cpus_online: Some(2),
        cpus_allowed: Some(2),
        cpu_quota: Some(CpuQuota::Unlimited),
        virtualisation: text("kvm"),
        governor: text("none"),
        memory_bytes: Some(8 << 30),
        kernel: text("6.1"),
        c_library: text("glibc 2.41"),
        file_system: text("ext4"),
        environment: Some(BTreeMap::new()),
        harness_blake3: text("harness"),
        origin: Some(Origin::Built(Build::default())),
        programs: Some(BTreeMap::from([("tokio".to_owned(), program)])),
        git_revision: text("abc"),
        git_modified: Some(false),
        lock_file_blake3: text("lock"),
        versions: BTreeMap::from([("tokio".to_owned(), "1.54.1".to_owned())]),
        ..Host::default()
    }
}

/// Differences, obstacles and what is unknown, from an unchanged host to a changed one.
fn held(change: impl Fn(&mut Host), hash: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (one, mut other) = (host(), host());
    change(&mut other);
    let setting = |host, hash| Setting { hashes: BTreeMap::from([("tokio", hash)]), host };
    let (one, other) = (setting(&one, "0123456789abcdef"), setting(&other, hash));
    let differences = differences(&one, &other).iter().map(Aspect::to_string).collect();
    (differences, obstacles(&one, &other), unknown(&one, &other))
}

const SAME: &str = "0123456789abcdef";

#[test]
fn everything_that_numbers_depend_on_is_listed() {
    fn build(host: &mut Host, change: fn(&mut Build)) {
        let mut build = Build::default();
        change(&mut build);
        host.origin = Some(Origin::Built(build));
    }
    fn program(host: &mut Host, change: fn(&mut Executable)) {
        host.programs.as_mut().unwrap().values_mut().for_each(change);
    }
    type Case = (fn(&mut Host), &'static str);
    let changes: [Case; 18] = [
        (|h| h.harness_blake3 = Some("b".into()), "harness: other program (harness → b)"),
        (|h| h.cpu = Some("EPYC".into()), "CPU: Xeon → EPYC"),
        (
            |h| h.cpu_signature = Some("x".into()),
            "CPU model and revision: GenuineIntel/6/143/8 → x",
        ),
        (|h| h.cpus_online = Some(4), "CPUs online: 2 → 4"),
        (|h| h.cpus_allowed = Some(1), "CPUs allowed: 2 → 1"),
        (
            |h| h.cpu_quota = Some(CpuQuota::Cpus(1.5)),
            "CPU quota: none → 1.5 CPUs, which is not whole",
        ),
        (|h| h.virtualisation = Some("none".into()), "virtualisation: kvm → none"),
        (|h| h.governor = Some("powersave".into()), "governor: none → powersave"),
        (|h| h.memory_bytes = Some(1 << 30), "memory: 8.00 GiB → 1.00 GiB"),
        (|h| h.kernel = Some("6.2".into()), "kernel: 6.1 → 6.2"),
        (|h| h.c_library = Some("musl".into()), "C library: glibc 2.41 → musl"),
        (|h| h.file_system = Some("tmpfs".into()), "file system: ext4 → tmpfs"),
        (
            |h| h.environment = Some([("MALLOC_ARENA_MAX".into(), "1".into())].into()),
            "environment: none → MALLOC_ARENA_MAX=1",
        ),
        (
            |h| build(h, |b| b.target = "x86_64-unknown-linux-musl".into()),
            "target:  → x86_64-unknown-linux-musl",
        ),
        (
            |h| build(h, |b| b.rustflags = vec!["-Ctarget-cpu=native".into()]),
            "compiler flags:  → -Ctarget-cpu=native",
        ),
        (
            |h| build(h, |b| b.profile = [("lto".into(), "off".into())].into()),
            "cargo profile:  → lto=off",
        ),
        (
            |h| program(h, |p| p.c_library = Some("musl".into())),
            "C library of the programs: glibc → musl",
        ),
        (|h| program(h, |p| p.aligned = Some(false)), "kernels on cache lines: yes → no"),
    ];
    for (change, shown) in changes {
        let (differences, obstacles, unknown) = held(change, SAME);
        assert_eq!((&differences[..], &unknown[..]), (&[shown.to_owned()][..], &[][..]));
        assert_eq!(obstacles, [shown]);
    }
}

#[test]
fn what_made_the_same_program_is_named_and_keeps_no_run_from_being_mixed() {
    let change = |host: &mut Host| {
        host.git_revision = Some("def".to_owned());
        host.git_modified = Some(true);
        host.versions.insert("tokio".to_owned(), "1.55.0".to_owned());
    };
    let (differences, obstacles, unknown) = held(change, SAME);
    let expected = [
        "revision: abc → def",
        "modification of the tree: none → modified",
        "crate tokio: 1.54.1 → 1.55.0",
    ];
    assert_eq!(differences, expected);
    assert!(obstacles.is_empty() && unknown.is_empty(), "{obstacles:?} {unknown:?}");
    let (differences, obstacles, _) = held(|_| (), "other");
    assert_eq!(differences, ["strategy tokio: other program (0123456789ab → other)"]);
    assert_eq!(obstacles, differences);
}

#[test]
fn what_a_run_does_not_know_is_no_difference_and_not_the_same_either() {
    let old = |host: &mut Host| {
        host.file_system = None;
        host.cpu_quota = None;
        host.git_revision = None;
        host.origin = None;
    };
    let (differences, obstacles, unknown) = held(old, SAME);
    assert!(differences.is_empty() && obstacles.is_empty(), "{differences:?}");
    assert_eq!(unknown, ["CPU quota", "file system"], "the program is the same");
    let (_, _, unknown) = held(old, "other");
    let making = ["programs", "revision", "target", "compiler flags", "cargo profile"];
    assert_eq!(unknown, [&making[..], &["CPU quota", "file system"]].concat());
}
