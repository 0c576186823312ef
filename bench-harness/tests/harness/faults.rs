//! Workers that misbehave become rows of the table, and the rest of the run completes.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, code, row, stderr, summary};

/// An honest reply but for the digest and the time.
fn reply(wall_ns: &str, digest: &str) -> String {
    format!(
        r#"echo '{{"protocol":1,"reply":"measured","warmup_ns":[1],"samples":[{{"wall_ns":{wall_ns},"usage":null,"digest":"{digest}"}}],"peak_threads":null,"worker_threads":null,"peak_memory_bytes":null}}'"#
    )
}

/// The command lines of processes that have a text in their environment.
fn processes_with(token: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let has_token = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(token)
    };
    let command = |process: PathBuf| fs::read_to_string(process.join("cmdline")).ok();
    processes.filter(has_token).filter_map(command).collect()
}

#[test]
fn every_kind_of_misbehaviour_is_a_typed_row_and_the_rest_completes() {
    let bench = Bench::with(&["threads", "floor"]);
    // With a child of its own, and deaf to polite requests.
    // Whatever it starts has this in its environment.
    let token = bench.path("token").display().to_string();
    bench.add_fixture("hangs", "trap '' TERM INT HUP\nsleep 3600 & sleep 3600");
    bench.add_fixture("panics", "echo 'thread main panicked at the disco' >&2; exit 101");
    bench.add_fixture("garbles", "echo 'hello there'; sleep 3600");
    bench.add_fixture("binary", r"printf '\377\376\n'; sleep 3600");
    bench.add_fixture("floods", "yes | tr -d '\\n' | head -c 100000000; sleep 3600");
    bench.add_fixture("floods-lines", "yes | head -c 100000000; sleep 3600");
    bench.add_fixture("floods-stderr", "yes | head -c 100000000 >&2; exit 1");
    bench.add_fixture("errs", &reply("1000", "0123456789abcdef"));
    bench.add_fixture("boasts", &reply("99000000000000", "0123456789abcdef"));
    bench.add_fixture("leaves", "exit 0");
    bench.add_fixture("killed", "kill -9 $$");
    bench.add_fixture("ancient", r#"echo '{"protocol":0,"reply":"ready"}'"#);

    let run = bench.path("run");
    let arguments = ["run", "--profile", "smoke", "--workload", "map,echo", "--time-limit", "2"];
    let mut command = bench.command(&arguments);
    let output = command.arg("--out").arg(&run).env("TEST_TOKEN", &token).output().unwrap();
    assert_eq!(code(&output), 3, "{}", stderr(&output));

    let summary = summary(&run);
    for (entry, kind, reason) in [
        ("hangs", "timeout", "no answer within 2.0 s"),
        (
            "panics",
            "crashed",
            "exited with code 101 before it answered; it said: thread main panicked",
        ),
        ("garbles", "crashed", "not a line of the protocol: \"hello there\\n\""),
        ("binary", "crashed", "not UTF-8"),
        ("floods", "crashed", "more than 4 MiB in one line"),
        ("floods-lines", "crashed", "not a line of the protocol: \"y\\n\""),
        ("floods-stderr", "crashed", "exited with code 1"),
        ("leaves", "crashed", "exited with code 0 before it answered"),
        ("killed", "crashed", "was killed by signal 9"),
        ("ancient", "crashed", "protocol 0 where 1 is spoken"),
    ] {
        for case in ["map", "echo/c=8"] {
            let failure = &row(&summary, case, entry)["failure"];
            assert_eq!(failure["kind"], kind, "{case} {entry}: {failure}");
            assert!(
                failure["reason"].as_str().unwrap().contains(reason),
                "{case} {entry}: {failure}"
            );
        }
    }
    for entry in ["errs", "boasts"] {
        let failure = &row(&summary, "map", entry)["failure"];
        assert_eq!(failure["kind"], "wrong-answer", "{failure}");
        assert!(failure["reason"].as_str().unwrap().contains("0123456789abcdef"), "{failure}");
    }
    assert_eq!(row(&summary, "map", "threads")["numbers"]["rounds"], 2);
    assert_eq!(row(&summary, "echo/c=8", "threads")["numbers"]["rounds"], 2);
    assert_eq!(row(&summary, "echo/c=8", "floor/sequential")["failure"]["kind"], "unsupported");

    let begin = Instant::now();
    loop {
        let orphans = processes_with(&token);
        if orphans.is_empty() {
            break;
        }
        // What was killed a moment ago may still be on its way out.
        assert!(begin.elapsed() < Duration::from_secs(20), "{orphans:?}");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!run.join("scratch").exists());
}

#[test]
fn a_worker_that_reports_more_time_than_passed_is_not_believed() {
    let bench = Bench::with(&["threads"]);
    // The right digest of the smoke case of `join`: 92 solutions for eight queens.
    bench.add_fixture("boasts", &reply("99000000000000", "000000000000005c"));
    bench.add_fixture("instant", &reply("0", "000000000000005c"));
    let run = bench.path("run");
    let output = bench.run(&[
        "run",
        "--profile",
        "smoke",
        "--workload",
        "join",
        "--out",
        run.to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    for entry in ["boasts", "instant"] {
        let summary = summary(&run);
        let failure = &row(&summary, "join/cutoff=3", entry)["failure"];
        assert_eq!(failure["kind"], "crashed");
        assert!(failure["reason"].as_str().unwrap().contains("reported times"), "{failure}");
    }
}

#[test]
fn text_from_workers_cannot_break_a_report() {
    let bench = Bench::with(&["floor"]);
    bench
        .add_fixture("hostile", r#"printf '| a | <script>\033[31m,"quoted"\n\n# big' >&2; exit 1"#);
    let run = bench.path("run");
    let output = bench.run(&[
        "run",
        "--profile",
        "smoke",
        "--workload",
        "map",
        "--out",
        run.to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 3);
    assert!(!String::from_utf8_lossy(&output.stdout).contains('\x1b'));
    let markdown = fs::read_to_string(run.join("comparison.md")).unwrap();
    assert!(!markdown.contains("<script>") && markdown.contains("\\<script\\>"), "{markdown}");
    let lines = fs::read_to_string(run.join("comparison.csv")).unwrap().lines().count();
    assert_eq!(lines, 1 + 2, "one header and a line for each entry");
}
