//! Ctrl-C before the first measurement: exit code 130, one line, and nothing left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::{Bench, HARNESS, code, stderr};

/// Says by a file that it was reached, and goes on for longer than the test.
fn stuck(reached: &Path) -> String {
    format!("touch '{}'; sleep 300", reached.display())
}

/// A bench whose `threads` hangs when it is asked `request`, after it has made the file `reached`.
fn bench_that_hangs(request: &str) -> (Bench, PathBuf) {
    let bench = Bench::with(&["rayon", "tokio", "smol"]);
    let reached = bench.path("reached");
    let described =
        r#"{"protocol":1,"reply":"described","strategy":"threads","variants":["default"]}"#;
    let script = format!(
        "#!/bin/sh\nread -r line\ncase \"$line\" in\n*'\"request\":\"{request}\"'*) {};;\n\
         *describe*) echo '{described}';;\nesac\n",
        stuck(&reached)
    );
    bench.add_program("threads", &script);
    (bench, reached)
}

/// Starts a command, sends it a signal as soon as that is `due`, and returns what it left.
fn interrupted(command: &mut Command, signal: Signal, due: impl Fn(u32) -> bool) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while !due(child.id()) {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is not reached: {command:?}");
        thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    child.wait_with_output().unwrap()
}

fn assert_interrupted(output: &Output, said: &str) {
    assert_eq!(code(output), 130, "{}", stderr(output));
    let stderr = stderr(output);
    assert!(stderr.ends_with(&format!("{said}\n")), "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
    assert_eq!(output.stdout, b"");
}

const BEFORE: &str = "interrupted before anything was measured";

#[test]
fn while_a_strategy_describes_itself() {
    let (bench, reached) = bench_that_hangs("describe");
    let service = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles/stream.toml");
    let out = bench.path("results/run");
    let folder = out.to_str().unwrap();
    for (arguments, said) in [
        (&["run", "--out", folder][..], BEFORE),
        (&["decide", service, "--out", folder], BEFORE),
        (&["map", "--out", folder], BEFORE),
        (&["check"], "interrupted"),
        (&["selftest"], "interrupted"),
    ] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let output = interrupted(&mut bench.command(arguments), signal, |_| reached.exists());
            assert_interrupted(&output, said);
            assert!(!bench.path("results").exists(), "{arguments:?}");
            fs::remove_file(&reached).unwrap();
        }
    }
}

#[test]
fn while_the_capacity_is_searched_for() {
    let (bench, reached) = bench_that_hangs("serve");
    let out = bench.path("results/run");
    let arguments =
        ["run", "--workload", "serve", "--strategy", "threads", "--out", out.to_str().unwrap()];
    let mut command = bench.command(&arguments);
    let output = interrupted(&mut command, Signal::SIGINT, |_| reached.exists());
    assert_interrupted(&output, BEFORE);
    assert!(!bench.path("results").exists());
}

/// Whether a process has a child that computes an oracle.
fn has_oracle(process: u32) -> bool {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let is_oracle = |child: &str| {
        let command = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        command.split('\0').nth(1) == Some("peer")
    };
    children.unwrap_or_default().split_whitespace().any(is_oracle)
}

#[test]
fn while_the_right_answers_are_computed() {
    let bench = Bench::with(&["floor"]);
    let out = bench.path("results/run");
    // All of them together take far longer than the signal.
    let arguments = ["run", "--profile", "standard", "--out", out.to_str().unwrap()];
    let arguments = [&arguments[..], &["--workload", "map,sort,skewed,matmul,join,grain"]].concat();
    let output = interrupted(&mut bench.command(&arguments), Signal::SIGINT, has_oracle);
    assert_interrupted(&output, BEFORE);
    assert!(!bench.path("results").exists());
}

/// The harness with a cargo that is this piece of shell.
fn with_cargo(bench: &Bench, script: &str, arguments: &[&str]) -> Command {
    let cargo = bench.path("cargo");
    fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(HARNESS);
    command.args(arguments).env("CARGO", cargo);
    command
}

#[test]
fn while_a_strategy_is_built_or_after_that_failed() {
    let bench = Bench::with(&[]);
    let reached = bench.path("reached");
    let out = bench.path("results/run");
    let arguments = ["run", "--strategy", "threads", "--out", out.to_str().unwrap()];
    let mut stuck = with_cargo(&bench, &stuck(&reached), &arguments);
    let output = interrupted(&mut stuck, Signal::SIGINT, |_| reached.exists());
    assert_interrupted(&output, BEFORE);
    assert!(!bench.path("results").exists());
    let failed = with_cargo(&bench, "exit 1", &arguments).output().unwrap();
    assert_eq!(code(&failed), 1);
    assert_eq!(stderr(&failed), "error: cargo could not build strategy-threads\n");
    assert!(!bench.path("results").exists());
}
