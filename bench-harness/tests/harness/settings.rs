//! What a run records of its surroundings, and what is refused to be mixed because of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bench::{Bench, HARNESS, code, stderr};

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A copy of the committed run, with another host and programs.
fn copy(bench: &Bench, name: &str, host: Value, program: Option<&str>) -> PathBuf {
    let (from, to) = (Path::new(ROOT).join("results/reference-quick"), bench.path(name));
    fs::create_dir(&to).unwrap();
    for file in ["plan.json", "host.json", "measurements.jsonl"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    edit(&to.join("host.json"), |value| {
        value.as_object_mut().unwrap().extend(host.as_object().unwrap().clone());
    });
    edit(&to.join("plan.json"), |value| {
        for entry in value["entries"].as_array_mut().unwrap() {
            if let Some(program) = program {
                entry["program_blake3"] = json!(program);
            }
        }
    });
    to
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

fn harness(words: &[&str]) -> Output {
    Command::new(HARNESS).args(words).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn host(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("host.json")).unwrap()).unwrap()
}

#[test]
fn compare_and_pooling_name_what_differs() {
    let bench = Bench::with(&[]);
    let one = copy(&bench, "one", json!({}), None);
    let changed = json!({ "git_modified": true, "governor": "powersave", "cpus_allowed": 1,
        "virtualisation": "none", "memory_bytes": 1 << 30 });
    let other = copy(&bench, "other", changed, Some("other"));
    let [one, other] = [&one, &other].map(|run| run.to_str().unwrap());
    let text = stdout(&harness(&["compare", one, other]));
    for line in [
        "strategy tokio: other program (",
        "modification of the tree: none → modified",
        "CPUs allowed: 2 → 1",
        "virtualisation: kvm → none",
        "memory: 23.5 GiB → 1.00 GiB",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("same programs, harness"), "{text}");
    let out = bench.path("pooled");
    let pooled = harness(&["report", one, other, "--out", out.to_str().unwrap()]);
    assert_eq!(code(&pooled), 2);
    assert!(stderr(&pooled).contains("CPUs allowed: 2 → 1; "), "{}", stderr(&pooled));
    let text = stdout(&harness(&["compare", one, one]));
    assert!(text.contains("not on record in both, so that it may differ: "), "{text}");
}

#[test]
fn the_reproduction_of_a_modified_tree_says_so() {
    let bench = Bench::with(&[]);
    let run = copy(&bench, "run", json!({ "git_modified": true }), None);
    assert_eq!(code(&harness(&["report", run.to_str().unwrap()])), 0);
    for file in ["comparison.md", "report.html"] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        assert!(
            text.contains("# the tree was modified: this checkout is not what was measured"),
            "{file}"
        );
    }
}

#[test]
fn exports_carry_the_machine_and_no_zeros() {
    let run = format!("{ROOT}/results/reference-quick");
    let export = |format| -> Value {
        serde_json::from_str(&stdout(&harness(&["export", &run, "--format", format]))).unwrap()
    };
    for entry in export("github-action").as_array().unwrap() {
        assert!(entry["value"].as_f64() > Some(0.0), "{entry}");
        let extra = entry["extra"].as_str().unwrap();
        assert!(extra.contains(" workers on Intel(R) Xeon(R) Processor"), "{extra}");
    }
    let bencher = export("bencher");
    let values =
        bencher.as_object().unwrap().values().flat_map(|m| m.as_object().unwrap().values());
    assert!(values.into_iter().all(|measure| measure["value"].as_f64() > Some(0.0)));
    for result in export("hyperfine")["results"].as_array().unwrap() {
        assert!(result["parameters"]["machine"].as_str().unwrap().contains("kvm"), "{result}");
    }
}

#[test]
fn a_run_is_not_resumed_on_another_machine_or_by_another_harness() {
    let bench = Bench::with(&["floor"]);
    let run = bench.path("run");
    let path = run.to_str().unwrap();
    let words = ["run", "--profile", "smoke", "--workload", "map", "--out", path];
    assert_eq!(code(&bench.run(&words)), 0);
    let recorded = host(&run);
    assert_eq!(recorded["origin"], "ready-built");
    assert_eq!((&recorded["git_revision"], &recorded["rustc"]), (&Value::Null, &Value::Null));
    let plan: Value =
        serde_json::from_str(&fs::read_to_string(run.join("plan.json")).unwrap()).unwrap();
    assert!(plan["seed"].as_u64() < Some(1_000_000_000), "it survives any reader of JSON");
    assert_eq!(code(&bench.run(&["run", "--resume", path])), 0, "nothing has changed");
    for (key, value, named) in [
        ("cpu", json!("ARM 0x41/0xd0c (Neoverse-N1), r3p1"), "CPU: ARM 0x41/0xd0c (Neoverse-N1)"),
        ("kernel", json!("5.0"), "kernel: 5.0 → "),
        ("harness_blake3", json!("f00"), "harness: other program (f00 → "),
        ("file_system", json!("tape"), "file system: tape → "),
    ] {
        edit(&run.join("host.json"), |host| host[key] = value);
        let refused = bench.run(&["run", "--resume", path]);
        assert_eq!(code(&refused), 2, "{}", stderr(&refused));
        assert!(stderr(&refused).contains(named), "{}", stderr(&refused));
        fs::write(run.join("host.json"), recorded.to_string()).unwrap();
    }
    edit(&run.join("host.json"), |host| {
        host["cpu"] = Value::Null;
        host["git_revision"] = json!("0123");
    });
    assert_eq!(code(&bench.run(&["run", "--resume", path])), 0, "what is unknown is no difference");
}

/// A smoke run in a mount namespace of its own, after these commands.
fn run_unshared(bench: &Bench, name: &str, commands: &str) -> PathBuf {
    let run = bench.path(name);
    let script = format!(
        "set -e; mkdir -p {run}; {commands}; exec {HARNESS} run --bin-dir {bin} --workload map --profile smoke --out {run}/run",
        run = run.display(),
        bin = bench.bin_dir().display()
    );
    let output = Command::new("unshare").args(["-m", "sh", "-c", &script]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // A mount of the namespace is gone: what was written to it too.
    run.join("run")
}

#[test]
#[ignore = "needs mount namespaces"]
fn arm_machines_are_told_apart_without_a_model_name() {
    let bench = Bench::with(&["floor"]);
    let cpuinfo = |part: &str| {
        let file = bench.path(part);
        let text = format!(
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\n\
             CPU part\t: {part}\nCPU revision\t: 1\n"
        );
        fs::write(&file, text).unwrap();
        format!("mount --bind {} /proc/cpuinfo", file.display())
    };
    let n1 = run_unshared(&bench, "n1", &cpuinfo("0xd0c"));
    let v1 = run_unshared(&bench, "v1", &cpuinfo("0xd40"));
    assert_eq!(host(&n1)["cpu"], "ARM 0x41/0xd0c (Neoverse-N1), r3p1");
    let [n1, v1] = [&n1, &v1].map(|run| run.to_str().unwrap());
    let text = stdout(&harness(&["compare", n1, v1]));
    assert!(text.contains("CPU: ARM 0x41/0xd0c (Neoverse-N1), r3p1 → ARM 0x41/0xd40"), "{text}");
    let out = bench.path("pooled");
    let pooled = harness(&["report", n1, v1, "--out", out.to_str().unwrap()]);
    assert_eq!(code(&pooled), 2, "{}", stderr(&pooled));
}

#[test]
#[ignore = "needs mount namespaces"]
fn the_file_system_is_on_record() {
    let bench = Bench::with(&["floor"]);
    let copy = bench.path("host.json");
    let run = bench.path("memory");
    let script = format!(
        "set -e; mkdir {run}; mount -t tmpfs none {run}; {HARNESS} run --bin-dir {bin} --workload map --profile smoke \
         --out {run}/run; cp {run}/run/host.json {copy}",
        run = run.display(),
        bin = bench.bin_dir().display(),
        copy = copy.display()
    );
    let output = Command::new("unshare").args(["-m", "sh", "-c", &script]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let host: Value = serde_json::from_str(&fs::read_to_string(copy).unwrap()).unwrap();
    assert_eq!(host["file_system"], "tmpfs");
}

#[test]
#[ignore = "needs mount namespaces, and builds the harness and a strategy anew"]
fn strategies_are_built_beside_the_harness_from_a_read_only_tree_and_keep_its_flags() {
    let bench = Bench::with(&[]);
    let (target, run) = (bench.path("target"), bench.path("run"));
    let script = format!(
        "set -e; mount --bind {ROOT} {ROOT}; mount -o remount,ro,bind {ROOT}; cd {ROOT}; \
         exec cargo run --release --locked --target-dir {target} -- --workload map --profile smoke --strategy floor --out {run}",
        target = target.display(),
        run = run.display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    // Displaces the flags of `.cargo/config.toml`.
    command.env("RUSTFLAGS", "-Clink-arg=-Wl,--as-needed");
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(target.join("release/strategy-floor").is_file());
    let host = host(&run);
    let build = &host["origin"]["built"];
    let flags = ["-Clink-arg=-Wl,--as-needed", "-Cllvm-args=-align-all-functions=6"];
    assert_eq!(build["rustflags"], json!(flags));
    assert_eq!(
        (&build["profile"]["lto"], &build["profile"]["opt-level"]),
        (&json!("off"), &json!("1"))
    );
    assert_eq!(host["programs"]["floor"]["aligned"], true);
    assert!(!stdout(&output).contains("NOT ALIGNED"), "{}", stdout(&output));
}

#[test]
#[ignore = "needs network namespaces, and builds a strategy"]
fn without_a_network_the_versions_of_crates_are_on_record() {
    let bench = Bench::with(&[]);
    let run = bench.path("run");
    let mut command = Command::new("unshare");
    command.arg("-n").arg(HARNESS).args(["run", "--workload", "map", "--profile", "smoke"]);
    command.args(["--strategy", "floor", "--out"]).arg(&run).current_dir(ROOT);
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(host(&run)["versions"]["tokio"].is_string(), "{}", host(&run)["versions"]);
}
