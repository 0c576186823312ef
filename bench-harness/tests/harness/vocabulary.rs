//! The book shows the async vocabulary as it stands in the sources: `UPDATE_DOCS=1 cargo test -p bench-harness
//! --test harness vocabulary` writes it there.

use std::fmt::Write;
use std::fs;

use crate::book::{hold, root};

const STRATEGIES: [&str; 6] = ["threads", "rayon", "tokio", "async-std", "smol", "hybrid"];
/// Name of the function and what it shows.
const WORDS: [(&str, &str); 9] = [
    ("one_after_the_other", "Two waits, one after the other: 1 + 2 = 3"),
    ("together", "Two waits together: the longer of 1 and 2"),
    ("start_without_waiting", "Starting a task without waiting for it"),
    ("gather_in_order", "Gathering results in order: the factorials of 2, 3 and 4"),
    ("wait_with_limit", "Waiting with a limit: who is done, who is pending"),
    ("task_group", "A task group that ends its siblings when one fails"),
    ("set_once", "A value set once by one side and awaited by the other"),
    ("blocking_call", "A blocking call that holds up nobody else"),
    ("ten_jobs_on_a_pool_of_five", "Ten blocking jobs on a pool of five: two rounds"),
];

/// The function with its documentation, or the reason why there is none.
fn entry(source: &str, word: &str) -> Result<String, String> {
    let lines: Vec<_> = source.lines().collect();
    let opening = format!("fn {word}(");
    let Some(start) = lines.iter().position(|line| {
        line.contains(&opening) && !line.starts_with(' ') && !line.starts_with('#')
    }) else {
        let none = format!("//! - `{word}`: there is none: ");
        let first = lines.iter().position(|line| line.starts_with(&none));
        let first = first.unwrap_or_else(|| panic!("neither `{word}` nor a reason"));
        let mut reason = lines[first].strip_prefix(&none).unwrap().to_owned();
        for line in &lines[first + 1..] {
            match line.strip_prefix("//!   ") {
                Some(more) => write!(reason, " {}", more.trim()).unwrap(),
                None => break,
            }
        }
        return Err(reason);
    };
    let documented = lines[..start].iter().rposition(|line| !line.starts_with("///"));
    let first = documented.map_or(0, |line| line + 1);
    let end = start + lines[start..].iter().position(|line| *line == "}").expect("it ends");
    let code = lines[first..=end].join("\n");
    Ok(code.replace("pub(crate) ", ""))
}

fn section() -> String {
    let sources = STRATEGIES.map(|strategy| {
        let path = root().join(format!("crates/strategy-{strategy}/src/vocabulary.rs"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    let mut out = String::new();
    for (word, meaning) in WORDS {
        writeln!(out, "### {meaning}\n").unwrap();
        for (strategy, source) in STRATEGIES.iter().zip(&sources) {
            match entry(source, word) {
                Ok(code) => writeln!(out, "{strategy}:\n\n```rust\n{code}\n```\n").unwrap(),
                Err(reason) => writeln!(out, "{strategy}: there is none: {reason}\n").unwrap(),
            }
        }
    }
    out
}

#[test]
fn vocabulary_page_shows_the_sources() {
    hold("vocabulary.md", &[("vocabulary", section())]);
}
