//! Does `comparison.csv` load as it is in what people read tables with?

use std::fs;
use std::path::Path;
use std::process::Command;

/// With what `requirements.txt` names; the environment variable `PYTHON` says which, if it is not `python3`.
#[test]
#[ignore = "needs Python with pandas and duckdb"]
fn pandas_and_duckdb_load_the_csv_without_options() {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let report = Command::new(crate::bench::HARNESS)
        .arg("report")
        .arg(package.join("../results/reference-quick"))
        .arg("--out")
        .arg(folder.path())
        .output();
    assert!(report.unwrap().status.success());
    let csv = folder.path().join("comparison.csv");
    let rows = fs::read_to_string(&csv).unwrap().lines().count() - 1;
    let output = Command::new(&python)
        .arg(package.join("tests/harness/tables.py"))
        .arg(&csv)
        .arg(rows.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
