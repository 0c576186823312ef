//! The book shows the committed result of the self-test: `UPDATE_DOCS=1 cargo test -p bench-harness --test harness
//! methodology` copies it anew.

use std::fs;

use crate::book::{hold, root};

#[test]
fn method_page_shows_the_committed_selftest() {
    let result = root().join("results/reference-selftest/selftest.md");
    let result = fs::read_to_string(result).unwrap();
    hold("method.md", &[("selftest", result)]);
}
