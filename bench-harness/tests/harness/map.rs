//! From two axes to a map, as a user would.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, code, stderr};

const AXES: [&str; 4] = ["--x", "connections=1..100", "--y", "cpu=10us..1s"];

#[test]
fn a_map_is_drawn_in_every_format_and_again_from_its_journal() {
    let bench = Bench::with(&["threads", "tokio"]);
    let out = bench.path("map");
    let folder = out.to_str().unwrap();
    let words = ["map", "--profile", "smoke", "--per-decade", "1", "--out", folder];
    let output = bench.run(&[&words[..], &AXES].concat());
    // On a busy machine a cell may fail.
    assert!([0, 3].contains(&code(&output)), "{}", stderr(&output));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("A map of a plain service"), "{shown}");
    assert!(shown.contains("computing once for all clients takes longer"), "{shown}");
    let text = fs::read_to_string(out.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let points = summary["map"]["points"].as_array().unwrap();
    assert_eq!(points.len(), 3 * 6);
    let known = |how: &str| points.iter().filter(|point| point["known"]["how"] == how).count();
    assert_eq!(known("beyond"), 3);
    assert!(known("measured") > 5 && known("measured") < 15, "{text}");
    let cases = summary["cases"].as_array().unwrap();
    assert_eq!(cases.len(), known("measured"), "points that were not measured are no cases");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("<section id=\"map\">") && page.contains("class=\"chart fields\""));
    let markdown = fs::read_to_string(out.join("comparison.md")).unwrap();
    assert!(markdown.contains("## A map of a plain service"), "{markdown}");
    let again = bench.path("again");
    bench.plain(&["report", folder, "--out", again.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(again.join("comparison.md")).unwrap(), markdown);
    let command = format!("map --profile smoke {} --per-decade 1", AXES.join(" "));
    assert!(markdown.contains(&command), "{command}");
}

#[test]
fn a_map_without_a_point_or_with_no_axis_is_refused_before_anything_is_measured() {
    let bench = Bench::with(&["threads", "tokio"]);
    let out = bench.path("map");
    for (axes, reason) in [
        (["cpu", "cpu=1us..1ms"], "both axes are cpu"),
        (["wait=10s..60s", "cpu"], "no point can be measured here"),
        (["colour", "cpu"], "\"colour\" is unknown: give one of connections"),
        (["connections=5..1", "cpu"], "does not go up"),
    ] {
        let [x, y] = axes;
        let output = bench.run(&["map", "--x", x, "--y", y, "--out", out.to_str().unwrap()]);
        assert_eq!(code(&output), 2, "{x} {y}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        assert!(!out.exists());
    }
}
