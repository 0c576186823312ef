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
