//! What the system allows the harness: few open files, little memory, part of a CPU, and paths that are no text.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::bench::{Bench, code, journal, row, stderr, summary};

/// The command as it is started by a shell that has done `first`.
fn after(first: &str, command: &Command) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.output().unwrap()
}

/// The harness running some workloads in the smoke profile, into a folder of that name.
fn run_of(bench: &Bench, workloads: &str, run: &Path) -> Command {
    let mut command = bench.command(&["run", "--profile", "smoke", "--workload", workloads]);
    command.arg("--out").arg(run);
    command
}

fn strategy(bench: &Bench, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(bench.bin_dir().join(format!("strategy-{name}")));
    command.args(arguments);
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const FEW_FILES: &str = "ulimit -n 70";

#[test]
fn a_case_that_needs_more_files_than_may_be_open_is_a_row_and_the_rest_is_measured() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let output = after(FEW_FILES, &run_of(&bench, "map,echo,fetch", &run));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary = summary(&run);
    assert_eq!(row(&summary, "map", "threads")["numbers"]["rounds"], 2);
    for (case, reason) in [
        ("echo/c=8", "8 connections, 6 fit here (ulimit -Hn)"),
        ("fetch", "16 connections, 3 fit here (ulimit -Hn)"),
    ] {
        let failure = &row(&summary, case, "threads")["failure"];
        assert_eq!((&failure["kind"], &failure["reason"]), (&"unsupported".into(), &reason.into()));
    }
}

#[test]
fn a_strategy_by_itself_and_check_have_that_row_too() {
    let bench = Bench::with(&["floor"]);
    let run = strategy(&bench, "floor", &["run", "map,echo", "--profile", "smoke"]);
    let output = after(FEW_FILES, &run);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("echo/c=8: unsupported: 8 connections, 6 fit here"), "{text}");
    let output = after(FEW_FILES, &bench.command(&["check"]));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("unsupported: 8 connections, 6 fit here"), "{text}");
}

#[test]
fn only_a_parameter_that_does_not_fit_or_no_case_that_does_is_refused() {
    let bench = Bench::with(&["floor"]);
    let run = bench.path("run");
    let none = after(FEW_FILES, &run_of(&bench, "echo", &run));
    assert_eq!(code(&none), 2, "{}", stderr(&none));
    let refusal = "no chosen case fits here: echo/c=8: 8 connections, 6 fit here (ulimit -Hn)";
    assert!(stderr(&none).contains(refusal), "{}", stderr(&none));
    let echo = ["run", "map,echo", "--profile", "smoke", "--param", "connections=20"];
    let given = after("ulimit -n 76", &strategy(&bench, "floor", &echo));
    assert_eq!(code(&given), 2, "{}", stderr(&given));
    let refusal = "connections=20: 20 connections, 12 fit here (ulimit -Hn); lower it";
    assert!(stderr(&given).contains(refusal), "{}", stderr(&given));
}

#[test]
fn with_hardly_any_files_there_is_a_sentence_or_a_row_and_no_panic() {
    let bench = Bench::with(&["floor"]);
    for files in [40, 16, 12, 10, 8, 6] {
        let run = bench.path(&format!("run-{files}"));
        let output = after(&format!("ulimit -n {files}"), &run_of(&bench, "map,fetch,serve", &run));
        let text = stderr(&output);
        assert!([0, 1, 2, 3].contains(&code(&output)), "{files}: {text}");
        assert!(!text.contains("panicked"), "{files}: {text}");
        assert!(code(&output) != 0 || run.join("summary.json").exists(), "{files}");
    }
}

#[test]
fn paths_that_are_no_text_work() {
    let bench = Bench::with(&["floor", "threads"]);
    let parent = bench.path("parent");
    let odd = |name: &[u8]| -> PathBuf { parent.join(OsStr::from_bytes(name)) };
    let (run, temporary, programs) = (odd(b"caf\xe9"), odd(b"t\xe9"), odd(b"bin\xe9"));
    fs::create_dir_all(&temporary).unwrap();
    fs::rename(bench.bin_dir(), &programs).unwrap();
    let harness = |arguments: &[&str]| {
        let mut command = Command::new(crate::bench::HARNESS);
        command.args(arguments).env("TMPDIR", &temporary);
        command
    };
    let works = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{command:?}: {}", stderr(&output));
    };
    // One that reads files, so that the folder for them matters.
    let smoke = ["run", "--profile", "smoke", "--workload", "read-files,map"];
    works(harness(&smoke).arg("--bin-dir").arg(&programs).arg("--out").arg(&run));
    assert!(!run.join("scratch").exists());
    works(harness(&["report"]).arg(&run));
    works(harness(&["export", "--format", "bencher"]).arg(&run));
    works(harness(&["compare"]).arg(&run).arg(&run));
    works(harness(&["check", "--strategy", "floor"]).arg("--bin-dir").arg(&programs));
    let profile = odd(b"p\xe9.toml");
    works(harness(&["profile", "new", "--kind", "gateway", "--out"]).arg(&profile));
    works(harness(&["profile", "check"]).arg(&profile));
    works(
        Command::new(programs.join("strategy-floor"))
            .args(["run", "read-files", "--profile", "smoke"])
            .env("TMPDIR", &temporary),
    );
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "nothing is left behind");
}

/// A control group that is removed when this is dropped.
struct Group(PathBuf);

impl Group {
    /// With limits of a controller, by the file of version 1 or else by that of version 2.
    fn of(controller: &str, version_1: &[(&str, &str)], version_2: (&str, &str)) -> Self {
        let mounted = Path::new("/sys/fs/cgroup");
        let name = format!("bench-harness-{controller}-{}", std::process::id());
        let old = mounted.join(controller);
        let group = if old.is_dir() {
            Group(old.join(name))
        } else {
            // It may be there already, and where it may not be, setting the limit fails.
            let _ = fs::write(mounted.join("cgroup.subtree_control"), format!("+{controller}"));
            Group(mounted.join(name))
        };
        fs::create_dir(&group.0).expect("root may make control groups");
        let files = if old.is_dir() { version_1 } else { &[version_2] };
        for (file, limit) in files {
            fs::write(group.0.join(file), limit).unwrap();
        }
        group
    }

    fn memory(mib: u64) -> Self {
        let bytes = (mib << 20).to_string();
        Group::of("memory", &[("memory.limit_in_bytes", &bytes)], ("memory.max", &bytes))
    }

    /// The command in this group.
    fn run(&self, command: &Command) -> Output {
        after(&format!("echo $$ > {}", self.0.join("cgroup.procs").display()), command)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The last of its processes may be about to go.
        for _ in 0..1_000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
#[ignore = "needs root and control groups"]
fn with_little_memory_a_hungry_worker_is_a_row_that_says_whose_limit_it_was() {
    let bench = Bench::with(&["threads", "floor"]);
    bench.add_fixture("hungry", "exec tail /dev/zero");
    let run = bench.path("run");
    let output = Group::memory(200).run(&run_of(&bench, "map", &run));
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let summary = summary(&run);
    assert_eq!(row(&summary, "map", "threads")["numbers"]["rounds"], 2);
    let failure = &row(&summary, "map", "hungry")["failure"];
    assert_eq!(failure["kind"], "crashed");
    assert_eq!(failure["reason"], "was killed: out of memory (the control group allows 200 MiB)");
}

#[test]
#[ignore = "needs root and control groups"]
fn where_the_oracle_of_a_case_dies_the_other_cases_are_measured() {
    let bench = Bench::with(&["floor"]);
    let run = bench.path("run");
    let mut command = bench.command(&["run", "--workload", "map,ring", "--rounds", "1"]);
    command.arg("--out").arg(&run);
    // The blocks of `map` take 64 MiB and more.
    let output = Group::memory(60).run(&command);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let summary = summary(&run);
    let reason = "the oracle was killed: out of memory (the control group allows 60.0 MiB)";
    assert_eq!(row(&summary, "map", "floor/sequential")["failure"]["reason"], reason);
    assert_eq!(row(&summary, "ring", "floor/sequential")["numbers"]["rounds"], 1);
}

#[test]
#[ignore = "needs root and control groups"]
fn with_hardly_any_threads_there_is_a_sentence_or_a_row_and_no_panic() {
    let bench = Bench::with(&["floor"]);
    for most in ["8", "5", "4", "3", "2"] {
        let limit = ("pids.max", most);
        let run = bench.path(&format!("run-{most}"));
        let mut command = run_of(&bench, "map", &run);
        command.args(["--time-limit", "3"]);
        let output = Group::of("pids", &[limit], limit).run(&command);
        let text = stderr(&output);
        assert!([0, 1, 2, 3].contains(&code(&output)), "{most}: {text}");
        assert!(!text.contains("panicked"), "{most}: {text}");
    }
}

#[test]
#[ignore = "needs root and control groups"]
fn profile_check_names_the_limit_of_the_control_group() {
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles/report-generator.toml");
    let mut command = Command::new(crate::bench::HARNESS);
    command.args(["profile", "check"]).arg(&profile);
    let text = stdout(&Group::memory(300).run(&command));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("limits.memory is 1 GiB, and 2"), "{text}");
    assert!(text.contains("MiB can be had here (the control group allows 300 MiB)"), "{text}");
}

#[test]
#[ignore = "needs root and control groups"]
fn a_cpu_quota_is_named_and_what_it_throttled_is_recorded() {
    let bench = Bench::with(&["floor", "threads"]);
    let run = bench.path("run");
    let period = ("cpu.cfs_period_us", "100000");
    let quota =
        Group::of("cpu", &[period, ("cpu.cfs_quota_us", "20000")], ("cpu.max", "20000 100000"));
    let output = quota.run(&run_of(&bench, "map", &run));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let rounds: Vec<_> =
        journal(&run).iter().filter_map(|line| line.get("round").cloned()).collect();
    assert!(!rounds.is_empty());
    for round in &rounds {
        assert_eq!(round["noise"]["cpu_quota"], 0.2);
        // Every process computes for longer than the 20 ms that a period gives.
        assert!(round["noise"]["throttled"].as_f64().unwrap() > 0.01, "{round}");
        // So are ten, and then the host is taken for noisy.
        let noisy_host = round["noise"]["noisy_host"] == true;
        assert!(round["rejected"].is_string() || noisy_host, "{round}");
    }
    let report = fs::read_to_string(run.join("comparison.md")).unwrap();
    assert!(report.contains("a CPU quota of 0.2 CPUs, which is not whole"), "{report}");
    assert!(
        report.contains("NOISY HOST: a CPU quota of 0.2 CPUs stopped the processes"),
        "{report}"
    );
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["workers"], 1);
}
