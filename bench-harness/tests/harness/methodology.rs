//! METHODOLOGY.md shows the committed result of the self-test.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- selftest: begin -->";
const END: &str = "<!-- selftest: end -->";

/// `UPDATE_DOCS=1` copies it anew.
#[test]
fn methodology_shows_the_committed_result_of_the_self_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = root.join("METHODOLOGY.md");
    let result = root.join("results/reference-selftest/selftest.md");
    let result = fs::read_to_string(result).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let right = format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", result.trim());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, &right).unwrap();
    }
    assert!(
        text == right || std::env::var_os("UPDATE_DOCS").is_some(),
        "run UPDATE_DOCS=1 cargo test -p bench-harness --test harness methodology"
    );
}
