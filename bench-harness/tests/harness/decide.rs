//! From a profile file to a decision record, as a user would.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, code, row, stderr, summary};

const SERVICE: &str = r#"
name = "A small <service>"
[load]
connections = 16
rate = 300
[[class]]
name = "light"
share = 0.9
wait = "2ms"
cpu = "20us"
payload = "1KiB"
[[class]]
name = "heavy"
share = 0.1
cpu = "200us"
wait = "1ms"
payload = "1KiB"
blocking = true
[objective]
p99 = "500ms"
optimise = "throughput"
"#;

#[test]
fn a_service_that_somebody_described_gets_a_decision_record() {
    let bench = Bench::with(&["threads", "floor"]);
    let file = bench.path("service.toml");
    fs::write(&file, SERVICE).unwrap();
    let out = bench.path("decision");
    let [file, folder] = [&file, &out].map(|path| path.to_str().unwrap());
    let output = bench.run(&["decide", file, "--profile", "smoke", "--out", folder]);
    let summary = summary(&out);
    let rows = summary["cases"].as_array().unwrap().iter();
    let rows = rows.flat_map(|case| case["rows"].as_array().unwrap());
    let failures: Vec<_> = rows.map(|row| &row["failure"]).filter(|row| !row.is_null()).collect();
    let void = failures.iter().filter(|failure| failure["kind"] == "void").count();
    let unsupported = failures.iter().filter(|failure| failure["kind"] == "unsupported").count();
    assert_eq!(void + unsupported, failures.len(), "{failures:?}");
    assert_eq!(code(&output), if void > 0 { 3 } else { 0 }, "{}", stderr(&output));
    let record = fs::read_to_string(out.join("decision.md")).unwrap();
    for heading in [
        "# A concurrency model for A small \\<service\\>",
        "## Context and Problem Statement",
        "## Decision Drivers",
        "## Considered Options",
        "## Decision Outcome",
        "### Consequences",
        "### Confirmation",
        "## Evidence",
        "## What would reverse it",
    ] {
        assert!(record.contains(&format!("{heading}\n")), "{heading}: {record}");
    }
    let text = fs::read_to_string(out.join("decision.json")).unwrap();
    let decision: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(decision["sensitivity"].as_array().unwrap().len(), 6);
    // A busy machine may leave a window void, or the service too slow for its objective.
    let stays = |case| {
        let row = row(&summary, case, "threads");
        !row["numbers"].is_null() && row["excluded"].is_null()
    };
    let expected = match stays("traffic/described") {
        true => (Value::from("clear"), Value::from("threads")),
        false => (Value::from("nobody"), Value::Null),
    };
    assert_eq!((&decision["outcome"], &decision["chosen"]), (&expected.0, &expected.1));
    let holds = record.contains("With twice the connections the decision holds");
    let measured = stays("traffic/described") && stays("traffic/double-connections");
    assert_eq!(holds, measured, "{record}");
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("id=\"decision\""));
    let again = bench.path("again");
    bench.plain(&["report", folder, "--out", again.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(again.join("decision.md")).unwrap(), record);
}

#[test]
fn what_cannot_be_decided_is_refused_before_anything_is_measured() {
    let bench = Bench::with(&["threads", "floor"]);
    let file = bench.path("service.toml");
    fs::write(&file, SERVICE.replace("rate = 300\n", "").replace("throughput", "memory")).unwrap();
    let out = bench.path("decision");
    let [file, folder] = [&file, &out].map(|path| path.to_str().unwrap());
    let output = bench.run(&["decide", file, "--out", folder]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("load.rate is missing"), "{}", stderr(&output));
    assert!(!out.exists());
}

/// A service of one class that is measured as briefly as can be, with these options; the record and what was said.
fn decided(bench: &Bench, name: &str, values: &[(&str, &str)], more: &[&str]) -> (String, String) {
    let value = |key: &str, usual: &'static str| {
        values.iter().find(|(name, _)| *name == key).map_or(usual, |(_, value)| value).to_owned()
    };
    let rate = match value("rate", "300").as_str() {
        "" => String::new(),
        rate => format!("rate = {rate}\n"),
    };
    let text = format!(
        "name = \"{name}\"\n[load]\nconnections = {}\n{rate}[[class]]\nname = \"call\"\nshare = 1.0\n\
         wait = \"{}\"\ncpu = \"{}\"\npayload = \"256B\"\nblocking = {}\n[objective]\np99 = \"{}\"\n\
         optimise = \"{}\"\n",
        value("connections", "16"),
        value("wait", "2ms"),
        value("cpu", "20us"),
        value("blocking", "false"),
        value("p99", "500ms"),
        value("optimise", "memory"),
    );
    let file = bench.path(&format!("{name}.toml"));
    fs::write(&file, text).unwrap();
    let out = bench.path(name);
    let [file, folder] = [&file, &out].map(|path| path.to_str().unwrap());
    let checked = bench.plain(&["profile", "check", file]);
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
    let arguments = ["decide", file, "--profile", "smoke", "--time-budget", "2s", "--out", folder];
    let output = bench.run(&[&arguments[..], more].concat());
    assert!(matches!(code(&output), 0 | 3), "{name}: {}", stderr(&output));
    let record = fs::read_to_string(out.join("decision.md")).unwrap();
    assert!(!record.contains("timeout") && !record.contains("killed"), "{name}: {record}");
    (record, String::from_utf8(checked.stdout).unwrap() + &stderr(&output))
}

#[test]
#[ignore = "needs a minute or two"]
fn services_that_are_slow_or_rarely_called_are_measured() {
    let bench = Bench::with(&["threads"]);
    let described_only = &["--described-only"][..];
    let slow = [("connections", "8"), ("rate", "3"), ("wait", "50ms"), ("cpu", "100ms")];
    let (record, _) =
        decided(&bench, "slow", &[&slow[..], &[("p99", "2s")]].concat(), described_only);
    assert!(record.contains("| threads |"), "{record}");
    let long = [("connections", "1000"), ("rate", "20"), ("wait", "12s"), ("p99", "40s")];
    let (record, said) = decided(&bench, "long", &long, described_only);
    assert!(record.contains("| threads |"), "{record}");
    assert!(
        said.contains("traffic/capacity is not measured: a search for the capacity would take"),
        "{said}"
    );
    let heavy = [
        ("connections", "8"),
        ("rate", ""),
        ("cpu", "300ms"),
        ("p99", "5s"),
        ("optimise", "throughput"),
    ];
    let (record, _) = decided(&bench, "heavy", &heavy, described_only);
    // Below ten a second: with its decimals.
    assert!(record.contains("requests a second"), "{record}");
    let json = fs::read_to_string(bench.path("heavy").join("decision.json")).unwrap();
    let decision: Value = serde_json::from_str(&json).unwrap();
    // On a busy machine a search may find nothing, and says so.
    match decision["options"][0]["capacity"]["estimate"].as_f64() {
        Some(capacity) => assert!((1.0..10.0).contains(&capacity) && capacity.fract() != 0.0),
        None => assert!(decision["options"][0]["no_capacity"].is_string(), "{decision}"),
    }
}

#[test]
#[ignore = "needs 13,000 open files"]
fn a_change_that_does_not_fit_is_named_and_refuses_nothing() {
    let bench = Bench::with(&["tokio"]);
    let big = [("connections", "12000"), ("rate", "1000"), ("cpu", "30us"), ("p99", "5s")];
    let (record, _) = decided(&bench, "big", &big, &[]);
    assert!(record.contains("With twice the connections: not measured: "), "{record}");
    assert!(record.contains("open files") || record.contains("fit here"), "{record}");
    let cpu = [("connections", "8"), ("rate", "1"), ("cpu", "600ms"), ("p99", "5s")];
    let (record, _) = decided(&bench, "cpu", &cpu, &[]);
    assert!(record.contains("With twice the CPU time per request: not measured: "), "{record}");
}

#[test]
fn defaults_and_timers_that_decide_are_named_with_the_setting() {
    let bench = Bench::with(&["tokio"]);
    let legacy =
        [("connections", "1500"), ("rate", "4000"), ("wait", "250ms"), ("blocking", "true")];
    let (record, said) = decided(&bench, "legacy", &legacy, &["--described-only"]);
    for text in [&record, &said] {
        let words = text.replace(|c: char| c.is_whitespace() || c == '\\', "");
        assert!(words.contains("max_blocking_threads") && words.contains("512"), "{text}");
    }
    let cache = [("wait", "200us"), ("p99", "1ms")];
    let (record, said) = decided(&bench, "cache", &cache, &["--described-only"]);
    for text in [&record, &said] {
        assert!(text.contains("round 200 µs up"), "{text}");
    }
}
