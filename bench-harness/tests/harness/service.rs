//! Profile files as a user writes and checks them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::bench::{HARNESS, code, stderr};
use crate::book::{page, root};

const KINDS: [&str; 7] = ["gateway", "crud", "generator", "chat", "batch", "stream", "ui"];

fn profile(arguments: &[&str]) -> Output {
    let mut command = Command::new(HARNESS);
    command.arg("profile").args(arguments).stdin(Stdio::null()).env("COLUMNS", "100");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn examples() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("profiles")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    files
}

#[test]
fn every_example_is_checked_and_documented() {
    let files = examples();
    assert_eq!(files.len(), KINDS.len());
    let mut arguments = vec!["check"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = profile(&arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let (text, docs) = (stdout(&output), page("reference/profile-files.md"));
    for file in &files {
        assert!(text.contains(&format!("({})\n  load  ", file.display())), "{text}");
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(docs.contains(&format!("| `profiles/{name}` |")), "{name}");
    }
    assert!(text.contains("  offered     computing for 0.122 of "), "{text}");
    assert!(text.contains("  left out    async-std: discontinued"), "{text}");
    assert!(!text.contains("waits 0"), "{text}");
    assert!(KINDS.iter().all(|kind| docs.contains(&format!("`{kind}`"))));
}

#[test]
fn every_key_that_a_file_may_hold_is_documented() {
    let docs = page("reference/profile-files.md");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let good = fs::read_to_string(root().join("profiles/api-gateway.toml")).unwrap();
    // The refusal of an unknown key lists those that there are.
    let mut seen = 0;
    for heading in ["", "[load]\n", "[[class]]\n", "[objective]\n", "[limits]\n", "[preferences]\n"]
    {
        let text = good.replacen(heading, &format!("{heading}klingon = 1\n"), 1);
        fs::write(&file, text).unwrap();
        let refused = stderr(&profile(&["check", file.to_str().unwrap()]));
        let (_, keys) = refused.trim().rsplit_once(" are ").expect(&refused);
        for key in keys.split(", ") {
            let tables = [format!("`[{key}]`"), format!("`[[{key}]]`")];
            let documented = docs.contains(&format!("\n| `{key}` |"))
                || tables.iter().any(|table| docs.contains(&format!("\n{table}, ")));
            assert!(documented, "{key}");
            seen += 1;
        }
    }
    assert_eq!(seen, 23);
}

#[test]
fn what_is_written_is_accepted_for_every_kind_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let file = folder.path().join(format!("{kind}.toml"));
        let file = file.to_str().unwrap();
        let changes = ["--name", "mine \"\\\"", "--cpu", "60us", "--payload", "2KiB"];
        let arguments = [&["new", "--kind", kind, "--out", file][..], &changes].concat();
        let output = profile(&arguments);
        assert_eq!(code(&output), 0, "{kind}: {}", stderr(&output));
        let said = stdout(&output);
        assert!(
            said.starts_with(&format!("written to {file}\nkept from the example {kind}")),
            "{said}"
        );
        assert!(
            said.ends_with(&format!("next: profile check {file}, then decide {file}\n")),
            "{said}"
        );
        let written = fs::read_to_string(file).unwrap();
        assert!(written.starts_with("# "), "{written}");
        let checked = profile(&["check", file]);
        assert_eq!(code(&checked), 0, "{kind}: {}", stderr(&checked));
        let text = stdout(&checked);
        assert!(text.starts_with("mine \"\\\" ("), "{text}");
        assert!(text.contains("computes 60 µs, answers 2 KiB"), "{text}");
        let again = profile(&arguments);
        assert_eq!(code(&again), 2);
        let expected =
            format!("error: --out {file}: exists already: give another name or remove it\n");
        assert_eq!(stderr(&again), expected);
        assert_eq!(fs::read_to_string(file).unwrap(), written);

        let printed = profile(&["new", "--kind", kind]);
        assert_eq!(code(&printed), 0);
        assert!(examples().iter().any(|file| fs::read(file).unwrap() == printed.stdout), "{kind}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let out = ["--out", file.to_str().unwrap()];
    for (arguments, reason) in [
        (
            &["--kind", "gateway", "--connections", "1"][..],
            "profile new: load.connections: 1 are too",
        ),
        (&["--kind", "chat", "--p99", "1ms"], "profile new: objective.p99: 1ms cannot be met: "),
        (&["--kind", "ui", "--rate", "-1"], "-1 is out of range: give 1 to 10,000,000"),
        (&["--kind", "ui", "--wait", "2 minutes"], "\"2 minutes\" is too long: give at most 60 s"),
        (&["--kind", "ui", "--name", ""], "\"\" names nothing: give 1 to 60 characters"),
        (&["--kind", "klingon"], "invalid value 'klingon'"),
        (&["--rate", "5"], "profile new: give the example to start from: --kind gateway|crud|"),
    ] {
        let output = profile(&[&["new"], arguments, &out].concat());
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(reason), "{reason}: {}", stderr(&output));
        assert!(!file.exists(), "{arguments:?}");
    }
    let nowhere = folder.path().join("none/x.toml");
    let output = profile(&["new", "--kind", "ui", "--out", nowhere.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("give a file in a folder that can"), "{}", stderr(&output));
}

#[test]
fn every_bad_file_is_named_beside_the_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let good = fs::read_to_string(root().join("profiles/crud.toml")).unwrap();
    let misspelt = write("one.toml", &good.replace("rate =", "rates ="));
    let hostile = write("two.toml", "\"\\u001b[31m\\n\" = 1\n");
    let fine = write("three.toml", &good);
    let output = profile(&["check", &misspelt, &hostile, &fine]);
    assert_eq!(code(&output), 2);
    let errors = stderr(&output);
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    let expected = "load.rates: unknown key: the keys of [load] are connections, rate";
    assert_eq!(lines[0], format!("error: {misspelt}:7: {expected}"));
    assert!(
        lines[1].starts_with(&format!("error: {hostile}:1: \"\\u{{1b}}[31m\\n\": ")),
        "{errors}"
    );
    assert!(stdout(&output).starts_with("CRUD service ("), "{}", stdout(&output));
}
