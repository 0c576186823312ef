//! The book in `docs/`: its pages, and the parts of them that are generated.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn path(name: &str) -> PathBuf {
    root().join("docs/src").join(name)
}

/// The text of a page, such as `method.md`.
pub(crate) fn page(name: &str) -> String {
    let path = path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails unless each part of a page, between `<!-- PART: begin -->` and `<!-- PART: end -->`, is the text given.
/// With the variable `UPDATE_DOCS` the page is written instead.
pub(crate) fn hold(name: &str, parts: &[(&str, String)]) {
    let old = page(name);
    let mut new = old.clone();
    for (part, text) in parts {
        new = with_part(&new, part, text).unwrap_or_else(|| panic!("{name} has no part `{part}`"));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(name), &new).unwrap();
    } else {
        assert!(old == new, "docs/src/{name} is out of date: run the test with UPDATE_DOCS=1");
    }
}

fn with_part(page: &str, part: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- {part}: begin -->");
    let end = format!("<!-- {part}: end -->");
    let (before, rest) = page.split_once(begin.as_str())?;
    let (_, after) = rest.split_once(end.as_str())?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim()))
}
