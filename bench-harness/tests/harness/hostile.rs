//! Text from workers — names, variants, reasons, forms, links, standard error — stays text in every format.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::bench::{Bench, code, stderr};
use crate::chromium::{Chromium, Viewport};

/// What a browser would carry out, in the name of an executable.
const NAME: &str = "<img src=x onerror=pwned=1>";

/// A strategy whose every text is an attack: in one variant it fails, in the other it does its work.
fn hostile() -> String {
    let variants = r#"["=cmd|' -C calc'!A0","</title><script>pwned=1</script>"]"#;
    let described =
        format!(r#"{{"protocol":1,"reply":"described","strategy":"x","variants":{variants}}}"#);
    let form = r#"\"><script>pwned=1</script> | `x` [a](javascript:pwned=1)"#;
    // The right digest of the smoke case of `join`: 92 solutions for eight queens.
    let measured = format!(
        r#"{{"protocol":1,"reply":"measured","how":{{"standing":"fair","form":"{form}","link":"javascript:pwned=1"}},"warmup_ns":[1],"samples":[{{"wall_ns":1000,"usage":null,"digest":"000000000000005c"}}],"peak_threads":null,"worker_threads":null,"peak_memory_bytes":null}}"#
    );
    format!(
        "#!/bin/sh\nread -r line\ncase \"$line\" in\n\
         *describe*) cat <<'END'\n{described}\nEND\n;;\n\
         *cmd*) printf '| a | <script>pwned=1</script>\\033[31m,\"q\"\\n\\n# big \\342\\200\\256evil' >&2; exit 1;;\n\
         *) cat <<'END'\n{measured}\nEND\n;;\nesac\n"
    )
}

/// A run in which the hostile strategy took part, its folder, and what it printed.
fn hostile_run() -> (Bench, PathBuf, Output) {
    let bench = Bench::with(&["floor"]);
    bench.add_program(NAME, &hostile());
    let run = bench.path("run <b>&amp;");
    let folder = run.to_str().unwrap();
    let output = bench.run(&["run", "--profile", "smoke", "--workload", "join", "--out", folder]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    (bench, run, output)
}

#[test]
fn text_from_workers_stays_text_in_every_format() {
    let (bench, run, output) = hostile_run();
    let terminal = String::from_utf8(output.stdout).unwrap();
    assert!(terminal.contains("onerror") && terminal.contains("# big evil"), "{terminal}");
    assert!(!terminal.contains(['\x1b', '\u{202e}']), "{terminal}");

    let markdown = fs::read_to_string(run.join("comparison.md")).unwrap();
    assert!(markdown.contains("\\<script\\>pwned"), "{markdown}");
    // Fenced lines are literal, and an escaped character is text.
    let outside: String = markdown.split("\n```").step_by(2).collect();
    let bare = ['<', '>', '[', ']', '&']
        .iter()
        .fold(outside, |text, c| text.replace(&format!("\\{c}"), ""));
    for raw in ["<script", "<img", "](javascript:", "&amp;", "\n# big"] {
        assert!(!bare.contains(raw), "{raw}: {markdown}");
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let tables = markdown.lines().collect::<Vec<_>>();
    for two in tables.windows(2).filter(|two| two.iter().all(|line| line.starts_with('|'))) {
        assert_eq!(columns(two[0]), columns(two[1]), "{two:?}");
    }

    let csv = fs::read_to_string(run.join("comparison.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let fields = reader.headers().unwrap().len();
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!(record.len(), fields);
        let formula = |field: &str| field.starts_with(['=', '+', '-', '@']);
        assert!(!record.iter().any(formula), "{record:?}");
    }
    assert!(csv.contains("onerror"), "{csv}");

    serde_json::from_str::<serde_json::Value>(
        &fs::read_to_string(run.join("summary.json")).unwrap(),
    )
    .unwrap();
    for format in ["bencher", "github-action", "hyperfine"] {
        let export = bench.plain(&["export", run.to_str().unwrap(), "--format", format]);
        let text = String::from_utf8(export.stdout).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        // Of a noisy host Bencher gets nothing.
        let noisy = format == "bencher" && markdown.contains("NOISY HOST");
        assert_eq!(text.contains("onerror"), !noisy, "{text}");
    }

    let html = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!html.contains("<img") && !html.contains("<b>"), "a name became markup");
    assert_eq!(html.matches("<script").count(), 1, "the page's own");
    assert!(!html.contains("href=\"javascript:"), "a link became a program");
}

#[test]
#[ignore = "needs Chromium"]
fn text_from_workers_stays_text_in_a_browser() {
    let (bench, run, _) = hostile_run();
    let chromium = Chromium::start();
    let desk = Viewport { width: 1440, height: 900, dark: false, script: true };
    let copy = bench.path("report.html");
    fs::copy(run.join("report.html"), &copy).unwrap();
    let url = format!("file://{}", copy.display());
    let page = chromium.open(&url, desk);
    assert_eq!(page.eval("typeof pwned"), "undefined");
    assert_eq!(page.eval("document.body.textContent.includes('onerror=pwned')"), true);
    assert_eq!(page.requests(), [url.as_str()]);
    assert_eq!(page.complaints(), [""; 0]);
}
