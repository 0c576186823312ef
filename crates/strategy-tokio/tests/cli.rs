//! The command line that all strategies share.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_strategy-tokio");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_list_names_every_workload_with_its_form_and_its_keys() {
    let text = stdout(&run(&["list"]));
    let (fair, misuse) = text.split_once("tokio, variant misuse").unwrap();
    for entry in workloads::catalog() {
        let workload = entry.spec.name;
        let (_, told) = fair.split_once(&format!("\n  {workload} (")).expect(workload);
        let told = told.split("\n\n").next().unwrap_or_default();
        assert!(told.contains("https://"), "{workload}: {told}");
        assert!(entry.keys.iter().all(|key| told.contains(&format!("--param {}=", key.name))));
    }
    assert!(misuse.contains("\n  mixed (") && !misuse.contains("\n  join ("), "{misuse}");
}

#[test]
fn a_run_prints_a_table_or_json() {
    let table = run(&["run", "map", "endpoints", "--profile", "smoke", "--workers", "1"]);
    assert!(table.status.success());
    assert!(stdout(&table).contains("endpoints/a"), "{}", stdout(&table));

    let json = run(&["run", "gather", "--profile", "smoke", "--param", "n=7", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["cases"][0]["params"]["n"], 7);
    assert!(json["cases"][0]["measured"]["samples"][0]["wall_ns"].as_u64().unwrap() > 5_000_000);
}

#[test]
fn without_a_command_everything_runs() {
    let output = run(&["--profile", "smoke"]);
    // 3 where the machine was too busy for an open loop; conformance asks for right answers.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    assert!(stdout(&output).contains("echo/c=8") && stdout(&output).contains("join"));
}

#[test]
fn bad_input_is_refused_in_one_sentence_that_names_it() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().to_string();
    for (arguments, mend) in [
        (&["run", "mapp"][..], "unknown workload `mapp`: the workloads are gather, fetch,"),
        (
            &["run", "map", "--param", "block=1"],
            "unknown parameter `block`: map has blocks, kib, chunk",
        ),
        (&["run", "map", "--param", "blocks=0"], "`blocks=0` is out of range: give a whole number"),
        (
            &["run", "map", "--param", "blocks"],
            "`blocks` is not an assignment: write it as key=value",
        ),
        (&["run", "endpoints", "--param", "handler=e"], "give one of a, b, c, d"),
        (
            &["run", "echo", "--param", "connections=999999"],
            "fit here (ulimit -Hn); lower it or raise",
        ),
        (
            &["run", "--variant", "fast"],
            "unknown variant `fast`: the variants are multi-thread, misuse",
        ),
        (&["run", "join", "--variant", "misuse"], "variant `misuse` has no `join`: it has gather,"),
        (&["run", "--workers", "0"], "--workers must be at least 1"),
        (
            &["serve", "map"],
            "`map` is not a service: the services are echo, serve, endpoints, mixed, traffic",
        ),
        (&["serve", "echo", "--listen", &busy], "the port is in use: choose another"),
        (&["serve", "echo", "--listen", "192.0.2.1:80"], "choose an address of this machine"),
        (&["serve", "echo", "--listen", "nonsense"], "invalid value 'nonsense'"),
    ] {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(mend), "{arguments:?}: {text}");
    }
}

/// How many files lie below a folder.
fn files_below(folder: &Path) -> usize {
    let Ok(files) = fs::read_dir(folder) else { return 0 };
    files
        .flatten()
        .map(|file| if file.path().is_dir() { files_below(&file.path()) } else { 1 })
        .sum()
}

/// Interrupts a run while it makes the input files of its second workload.
fn interrupt(signal: Signal) {
    let temporary = tempfile::tempdir().unwrap();
    // A script's shell has what it starts in the background ignore SIGINT.
    let child = Command::new("sh")
        .args(["-c", "trap '' INT; exec \"$0\" \"$@\"", PROGRAM])
        .args(["run", "gather", "read-files", "--profile", "standard", "--workers", "1"])
        .args(["--param", "n=7", "--param", "files=20000"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while files_below(temporary.path()) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no input file is made");
        thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let (table, said) = (stdout(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(table.contains("gather/n=7") && !table.contains("read-files"), "{table}");
    assert_eq!(said, "interrupted after 1 of 2 cases\n");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn an_interrupted_run_shows_what_it_has_and_leaves_nothing_behind() {
    interrupt(Signal::SIGINT);
    interrupt(Signal::SIGTERM);
}

#[test]
fn a_run_goes_on_after_a_hang_up_that_it_was_told_to_ignore() {
    let temporary = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", PROGRAM])
        .args(["run", "gather", "--profile", "smoke", "--param", "n=7"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while fs::read_dir(temporary.path()).unwrap().count() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no temporary folder is made");
        thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGHUP).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
