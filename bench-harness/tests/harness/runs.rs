//! Whole runs: resuming, reporting, and what is refused.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, HARNESS, admitted, code, journal, measurements, row, stderr, summary};
use crate::book::page;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Starts a run long enough to be interrupted, and waits until it has written something.
fn start(bench: &Bench, run: &Path) -> Child {
    let arguments = [
        "run",
        "--profile",
        "smoke",
        "--workload",
        "map",
        "--rounds",
        "40",
        "--seed",
        "7",
        "--out",
        run.to_str().unwrap(),
    ];
    let child =
        bench.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    while journal(run).len() < 5 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing was written");
        thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Resumes and checks that there are 40 rounds that count, in each of which every entry was visited once:
/// two entries and the twin of the contestant.
fn resume_and_count(bench: &Bench, run: &Path) {
    let before = journal(run);
    let output = bench.run(&["run", "--resume", run.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let after = journal(run);
    assert_eq!(after[..before.len()], before, "what was measured is kept");
    let spent: Vec<_> = after.iter().filter_map(|line| line["spent_ms"].as_u64()).collect();
    assert_eq!(spent.len(), after.len());
    assert!(spent.is_sorted(), "what was spent before counts: {spent:?}");
    let admitted = admitted(run);
    assert_eq!(admitted.len(), 40);
    let measurements = measurements(run);
    for (_, round) in admitted {
        let mut visits: Vec<_> = measurements
            .iter()
            .filter(|m| m["round"] == round)
            .map(|m| (m["entry"].as_str().unwrap(), m.get("twin").is_some()))
            .collect();
        visits.sort_unstable();
        let misuse = ("threads/misuse", false);
        visits.retain(|visit| *visit != misuse);
        let expected = [("floor/sequential", false), ("threads", false), ("threads", true)];
        assert_eq!(visits, expected, "round {round}");
    }
}

#[test]
fn ctrl_c_leaves_a_run_that_goes_on_where_it_stopped() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let mut child = start(&bench, &run);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(fs::read_to_string(run.join("measurements.jsonl")).unwrap().ends_with('\n'));
    assert!(admitted(&run).len() < 40, "it was interrupted");
    resume_and_count(&bench, &run);
}

#[test]
fn a_crash_in_the_middle_of_a_line_loses_that_line_only() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let mut child = start(&bench, &run);
    child.kill().unwrap();
    child.wait().unwrap();
    let path = run.join("measurements.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"schema\":1,\"round\":0,\"ca")).unwrap();
    resume_and_count(&bench, &run);
}

#[test]
fn other_workers_are_not_mixed_into_a_run() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let mut child = start(&bench, &run);
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(bench.bin_dir().join("strategy-threads")).unwrap();
    bench.add_fixture("threads", "exit 0");
    let output = bench.run(&["run", "--resume", run.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("strategy threads: other program ("), "{}", stderr(&output));
}

#[test]
fn a_report_is_a_function_of_the_journal() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let arguments =
        ["run", "--profile", "smoke", "--workload", "map,gather", "--out", run.to_str().unwrap()];
    assert_eq!(code(&bench.run(&arguments)), 0);
    let files = ["comparison.md", "comparison.csv", "summary.json"];
    let read = || files.map(|file| fs::read_to_string(run.join(file)).unwrap());
    let first = read();
    for file in files {
        fs::remove_file(run.join(file)).unwrap();
    }
    let report = std::process::Command::new(HARNESS).arg("report").arg(&run).output().unwrap();
    assert_eq!(code(&report), 0, "{}", stderr(&report));
    assert_eq!(read(), first);

    let readme = bench.path("README.md");
    fs::write(&readme, "no markers").unwrap();
    let splice = || {
        let mut command = std::process::Command::new(HARNESS);
        command.arg("report").arg(&run).arg("--splice").arg(&readme).output().unwrap()
    };
    assert_eq!(code(&splice()), 2);
    assert_eq!(fs::read_to_string(&readme).unwrap(), "no markers");
    fs::write(&readme, "a\n<!-- comparison: begin -->\n<!-- comparison: end -->\nb\n").unwrap();
    assert_eq!(code(&splice()), 0);
    assert!(fs::read_to_string(&readme).unwrap().contains("| `map` |"));
}

#[test]
fn several_numbers_of_workers_are_a_sweep_over_what_computes() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let path = run.to_str().unwrap();
    let output = bench.run(&[
        "run",
        "--profile",
        "smoke",
        "--workload",
        "map,gather",
        "--workers",
        "2,1,2",
        "--out",
        path,
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary = summary(&run);
    let ids: Vec<_> = summary["cases"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(ids, ["gather/n=100", "map/w=1", "map/w=2"]);
    let workers: Vec<_> =
        summary["cases"].as_array().unwrap().iter().map(|c| &c["workers"]).collect();
    assert_eq!(workers, [2, 1, 2]);
    let alone = &row(&summary, "map/w=1", "threads")["numbers"];
    assert_eq!(alone["worker_threads"], 1);
    let curves = &summary["curves"][0];
    assert_eq!(curves["title"], "Speed-up of map");
    assert_eq!(curves["at"], serde_json::json!(["1", "2"]));
    assert_eq!(curves["lines"][0]["entry"], "threads");
    assert!(fs::read_to_string(run.join("comparison.md")).unwrap().contains("## Speed-up of map"));
}

#[test]
fn nobody_has_to_read_what_a_run_prints() {
    let bench = Bench::with(&["floor"]);
    let run = bench.path("run");
    let path = run.to_str().unwrap();
    let arguments = ["run", "--profile", "smoke", "--workload", "map", "--out", path];
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(&arguments);
    let status = command.stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1), "the table could not be shown");
    assert_eq!(admitted(&run).len(), 2);
    assert!(run.join("summary.json").exists());
}

#[test]
fn bad_input_is_refused_in_one_sentence_that_names_it() {
    let bench = Bench::with(&["threads"]);
    let full = bench.bin_dir();
    let full = full.to_str().unwrap();
    let folder = bench.path("some-folder");
    fs::create_dir(&folder).unwrap();
    let file = bench.path("some-file");
    fs::write(&file, "").unwrap();
    let old = bench.path("old-run");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("plan.json"), r#"{"schema":99}"#).unwrap();
    let (folder, old) = (folder.to_str().unwrap(), old.to_str().unwrap());
    let below_file = file.join("run");
    let below_file = below_file.to_str().unwrap();

    for (arguments, mend) in [
        (
            &["run", "--workload", "gahter"][..],
            "unknown workload `gahter`: the workloads are gather,",
        ),
        (
            &["run", "--strategy", "tokyo"],
            "unknown strategy `tokyo`: the strategies in --bin-dir are threads",
        ),
        (&["run", "--profile", "fast"], "invalid value 'fast' for '--profile"),
        (&["run", "--workers", "0"], "--workers must be at least 1"),
        (&["run", "--workers", "2,0"], "--workers must be at least 1"),
        (&["run", "--workers", "two"], "invalid value 'two' for '--workers"),
        (&["run", "--workers", "99999999"], "--workers 99999999: 99999999 threads are more than"),
        (&["run", "--rounds", "0"], "invalid value '0' for '--rounds"),
        (&["run", "--time-budget", "soon"], "write it as 10m or 90s"),
        (&["run", "--time-budget", "1ms"], "is too short to measure anything: give 1s or more"),
        (&["run", "--out", below_file], "choose another folder with --out"),
        (&["run", "--out", old], "holds a run already"),
        (&["run", "--out", full], "is not empty: choose another folder with --out"),
        (&["run", "--resume", folder], "this is not the folder of a run"),
        (&["run", "--resume", old], "schema 99 where this program writes 4"),
        (&["run", "--resume", "/nowhere"], "this is not the folder of a run"),
        (&["run", "--resume", old, "--rounds", "3"], "cannot be used with"),
    ] {
        let output = bench.run(arguments);
        let text = stderr(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {text}");
        assert!(text.contains(mend), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    }
    let nowhere = std::process::Command::new(HARNESS).args(["run", "--bin-dir", folder]).output();
    assert_eq!(code(&nowhere.unwrap()), 2);
    let report = std::process::Command::new(HARNESS).args(["report", folder]).output().unwrap();
    assert_eq!(code(&report), 2);
    for (arguments, mend) in [
        (&["--target", "10.1.2.3:80"][..], "give a loopback address"),
        (&["--rate", "0"], "--rate 0: give 0.001 to"),
        (&["--path", "x"], "begin with /"),
        (&["--connections", "90000"], "fit here; lower it or raise"),
        (&["--duration", "soon"], "invalid value 'soon' for '--duration"),
    ] {
        let output =
            std::process::Command::new(HARNESS).arg("load").args(arguments).output().unwrap();
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(mend), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn load_drives_the_built_in_server_and_prints_what_came_back() {
    let arguments =
        ["load", "--rate", "300", "--connections", "5", "--duration", "500ms", "--format", "json"];
    let output = std::process::Command::new(HARNESS).args(arguments).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["sent"], 150);
    assert_eq!((&json["answered"], &json["errors"]), (&json["sent"], &serde_json::json!(0)));
    assert!(json["latency"]["p50"].as_u64() > Some(1_000), "{json}");
    let plain = std::process::Command::new(HARNESS).args(["load", "--duration", "300ms"]).output();
    let plain = String::from_utf8(plain.unwrap().stdout).unwrap();
    assert!(plain.contains("closed loop") && plain.contains("0 errors"), "{plain}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lost = std::process::Command::new(HARNESS)
        .args(["load", "--target", &nobody.to_string()])
        .output()
        .unwrap();
    assert_eq!(code(&lost), 1);
    assert!(stderr(&lost).contains("is the server running?"), "{}", stderr(&lost));
}

#[test]
#[ignore = "needs python3"]
fn the_minimal_strategy_of_the_protocol_page_takes_part() {
    let page = page("protocol.md");
    let (_, program) = page.split_once("```python\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    let bench = Bench::with(&["floor"]);
    bench.add_program("python", program);
    let run = bench.path("run");
    // Both answers that the page shows: a workload that it has, and one that it has not.
    let arguments = ["run", "--profile", "smoke", "--workload", "gather,map", "--out"];
    let output = bench.run(&[&arguments[..], &[run.to_str().unwrap()]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary = summary(&run);
    assert_eq!(row(&summary, "gather/n=100", "python")["numbers"]["rounds"], 2);
    assert_eq!(row(&summary, "map", "python")["failure"]["reason"], "only gather");
}

fn harness(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(HARNESS).args(arguments).output().unwrap()
}

/// A smoke run of one workload on the floor.
fn small_run(bench: &Bench, name: &str, more: &[&str]) -> String {
    let run = bench.path(name).to_str().unwrap().to_owned();
    let arguments = ["run", "--profile", "smoke", "--workload", "map", "--out", &run];
    let output = bench.run(&[&arguments[..], more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    run
}

#[test]
fn runs_are_compared_and_pooled_and_those_that_cannot_be_are_refused() {
    let bench = Bench::with(&["threads", "floor"]);
    let runs = ["one", "two", "three"].map(|name| small_run(&bench, name, &["--rounds", "4"]));
    let compared = harness(&["compare", &runs[0], &runs[1]]);
    let text = String::from_utf8(compared.stdout.clone()).unwrap();
    assert_eq!(code(&compared), 0, "{}", stderr(&compared));
    assert!(
        text.contains("one → two") && text.contains("no verdict contradicts another"),
        "{text}"
    );

    let without_folder = harness(&["report", &runs[0], &runs[1], &runs[2]]);
    assert_eq!(code(&without_folder), 2);
    assert!(stderr(&without_folder).contains("give --out DIR"), "{}", stderr(&without_folder));
    let pooled = bench.path("pooled");
    let arguments = ["report", &runs[0], &runs[1], &runs[2], "--out", pooled.to_str().unwrap()];
    let output = harness(&arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary = summary(&pooled);
    assert_eq!(summary["runs"], serde_json::json!(["one", "two", "three"]));
    assert_eq!(row(&summary, "map", "threads")["numbers"]["rounds"], 12);

    let workers = small_run(&bench, "workers", &["--workers", "1"]);
    let refused = harness(&["compare", &runs[0], &workers]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("map had"), "{}", stderr(&refused));
    let other = bench.path("other");
    let path = other.to_str().unwrap();
    let output = bench.run(&["run", "--profile", "smoke", "--workload", "gather", "--out", path]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let refused = harness(&["compare", &runs[0], path]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("no case in common"), "{}", stderr(&refused));
    let refused = harness(&["report", &runs[0], path, "--out", pooled.to_str().unwrap()]);
    assert_eq!(code(&refused), 2);
}

#[test]
fn a_time_budget_is_kept_and_calibration_and_noise_are_on_record() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = bench.path("run");
    let output = bench.run(&[
        "run",
        "--workload",
        "grain",
        "--time-budget",
        "10s",
        "--out",
        run.to_str().unwrap(),
    ]);
    // In so short a time a busy machine may disturb every round, which is 3.
    assert!(matches!(code(&output), 0 | 3), "{}", stderr(&output));
    let measurements = measurements(&run);
    let started = |measurement: &serde_json::Value| measurement["started_ms"].as_u64().unwrap();
    let mut rounds = std::collections::BTreeMap::new();
    for measurement in &measurements {
        let round = (measurement["case"].to_string(), measurement["round"].as_u64().unwrap());
        rounds.entry(round).or_insert_with(|| started(measurement));
    }
    // The budget begins before the first round, and none is begun after its end.
    let first = started(&measurements[0]);
    assert!(rounds.values().all(|begin| begin - first <= 10_000), "{rounds:?}");
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["budget_ms"], 10_000);
    let host: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("host.json")).unwrap()).unwrap();
    assert!(host["calibration"]["system_call_ns"].as_f64() > Some(1.0), "{host}");
    let ends: Vec<_> = journal(&run).iter().filter_map(|line| line.get("round").cloned()).collect();
    assert!(!ends.is_empty());
    assert!(ends.iter().all(|end| end["noise"]["canary"].as_f64() > Some(0.1)), "{ends:?}");
}

#[test]
fn a_quiet_run_says_nothing_but_its_results_and_its_errors() {
    let bench = Bench::with(&["floor"]);
    let run = bench.path("run");
    let path = run.to_str().unwrap();
    let smoke = ["--profile", "smoke", "--workload", "map", "--out"];
    for command in [&["run", "--quiet"][..], &["-q"]] {
        let output = bench.run(&[command, &smoke, &[path]].concat());
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("map — ") && text.contains("written to "), "{text}");
        fs::remove_dir_all(&run).unwrap();
    }
    let loud = bench.run(&[&["run"][..], &smoke, &[path]].concat());
    assert!(stderr(&loud).contains("round 2 begins after"), "{}", stderr(&loud));
    assert!(!stderr(&loud).contains('\x1b'), "{}", stderr(&loud));
    let refused = bench.run(&[&["run", "--quiet"][..], &smoke, &[path]].concat());
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("holds a run already"), "{}", stderr(&refused));
    let checked = bench.run(&["check", "--quiet", "--workers", "1"]);
    assert_eq!((code(&checked), stderr(&checked).as_str()), (0, ""));
    assert!(String::from_utf8(checked.stdout).unwrap().contains(" right, "));
}

#[test]
fn the_report_fits_the_columns_and_a_file_gets_no_colour() {
    let bench = Bench::with(&["threads", "floor"]);
    let run = small_run(&bench, "run", &[]);
    for columns in [40, 72] {
        let output = std::process::Command::new(HARNESS)
            .args(["report", &run])
            .env("COLUMNS", columns.to_string())
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("map — "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }
}

/// The subcommands that `--help` lists, without `help` itself.
fn subcommands() -> Vec<String> {
    let help = String::from_utf8(harness(&["-h"]).stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.lines().take_while(|line| !line.is_empty());
    let names = list.filter(|line| !line.starts_with("   ")).map(|line| line.split_whitespace());
    let names = names.map(|mut words| words.next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn completions_know_every_visible_subcommand_and_no_hidden_one() {
    let subcommands = subcommands();
    assert!(subcommands.iter().any(|name| name == "run"), "{subcommands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = harness(&["completions", shell]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let script = String::from_utf8(output.stdout).unwrap();
        for name in &subcommands {
            assert!(script.contains(name), "{shell}: {name}");
        }
        assert!(!script.contains("noisy neighbour"), "{shell}");
        assert!(!script.contains("bench__harness__subcmd__spin"), "{shell}");
    }
    let unknown = harness(&["completions", "klingon"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("invalid value 'klingon'"), "{}", stderr(&unknown));
}

#[test]
fn there_is_a_manual_page_for_the_program_and_each_visible_subcommand() {
    let page = String::from_utf8(harness(&["man"]).stdout).unwrap();
    assert!(page.contains(".SH NAME\nbench\\-harness \\- Measures how"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = harness(&["man", "--out", pages.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let mut expected: Vec<_> =
        subcommands().iter().map(|name| format!("bench-harness-{name}.1")).collect();
    expected.push("bench-harness.1".to_owned());
    expected.extend(["check", "new"].map(|name| format!("bench-harness-profile-{name}.1")));
    expected.sort_unstable();
    let files = fs::read_dir(&pages).unwrap();
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort_unstable();
    assert_eq!(files, expected);
    let run = fs::read_to_string(pages.join("bench-harness-run.1")).unwrap();
    assert!(run.contains("\\-\\-time\\-budget") && run.contains("Examples:"), "{run}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = harness(&["man", "--out", file.to_str().unwrap()]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("give a folder"), "{}", stderr(&refused));
}
