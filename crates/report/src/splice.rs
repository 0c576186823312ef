//! Puts generated text between two markers of a file that people write.

use std::fs;
use std::path::Path;

use workloads::UsageError;

const BEGIN: &str = "<!-- comparison: begin -->";
const END: &str = "<!-- comparison: end -->";

/// Replaces what stands between the markers of `file`.
///
/// # Errors
/// If the file cannot be read or written, or lacks the markers; it is then left as it was.
pub fn splice(file: &Path, text: &str) -> anyhow::Result<()> {
    let refuse = |why: String| UsageError(format!("--splice {}: {why}", file.display()));
    let old = fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    let new = spliced(&old, text).ok_or_else(|| {
        refuse(format!("the markers are missing: put `{BEGIN}` and `{END}` on lines of their own"))
    })?;
    Ok(fs::write(file, new).map_err(|error| refuse(error.to_string()))?)
}

fn spliced(old: &str, text: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_between_the_markers_and_splicing_twice_changes_nothing() {
        let old = format!("# A\n{BEGIN}\nold\n{END}\nrest\n");
        let once = spliced(&old, "new\n").unwrap();
        assert_eq!(once, format!("# A\n{BEGIN}\n\nnew\n\n{END}\nrest\n"));
        assert_eq!(spliced(&once, "new").unwrap(), once);
    }

    #[test]
    fn missing_or_swapped_markers_are_refused() {
        assert!(spliced("no markers", "x").is_none());
        assert!(spliced(&format!("{END} {BEGIN}"), "x").is_none());
        assert!(spliced(&format!("{BEGIN} only"), "x").is_none());
    }
}
