//! README.md shows rows of the reference results: `UPDATE_DOCS=1 cargo test -p bench-harness --test harness readme`
//! copies them anew.

use crate::book::{hold, page};

/// Cases that show how far apart models can be, and how close.
const ROWS: [&str; 7] = [
    "gather/n=10000",
    "map",
    "grain/100ns",
    "channel/8:8,cap=64",
    "idle/n=10000",
    "echo/c=1000",
    "deadline",
];

#[test]
fn readme_shows_rows_of_the_reference_results() {
    let results = page("reference-results.md");
    let row = |start: &str| {
        let found = results.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("the reference results have no row `{start}`"))
    };
    let head = row("| workload |");
    let columns = head.matches('|').count() - 1;
    let mut table = vec![head.to_owned(), format!("{}|", "| --- ".repeat(columns))];
    table.extend(ROWS.iter().map(|case| row(&format!("| `{case}` |")).to_owned()));
    hold("../../README.md", &[("excerpt", table.join("\n"))]);
}
