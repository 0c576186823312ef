//! The command line that all strategies share.

use std::net::TcpListener;
use std::process::{Command, Output};

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
    for workload in [
        "gather",
        "fetch",
        "read-files",
        "write-files",
        "map",
        "join",
        "sort",
        "skewed",
        "matmul",
        "reduce",
        "grain",
        "pipeline",
        "channel",
        "ring",
        "deadline",
        "fairness",
        "spawn",
        "idle",
        "echo",
        "serve",
        "endpoints",
        "mixed",
    ] {
        assert!(fair.contains(&format!("\n  {workload} (")), "{workload} is missing in {fair}");
    }
    assert!(misuse.contains("\n  mixed (") && !misuse.contains("\n  join ("), "{misuse}");
    assert!(text.contains("https://") && text.contains("--param wait_ms="), "{text}");
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
            "`map` is not a service: the services are echo, serve, endpoints, mixed",
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
