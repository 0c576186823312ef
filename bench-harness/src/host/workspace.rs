//! Of what the programs of a workspace are built: revision, crates and compiler.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::de::DeTable;

use crate::host::output::output;
use record::Host;

/// The crates whose versions matter to a reader.
const COMPARED: [&str; 9] = [
    "async-executor",
    "async-io",
    "async-std",
    "blocking",
    "crossbeam",
    "mio",
    "rayon",
    "smol",
    "tokio",
];

/// Notes what programs that are built from a workspace are built of.
pub(super) fn note(host: &mut Host, root: &Path) {
    let git = |args: &[&str]| output("git", args, Some(root));
    let lock = fs::read_to_string(root.join("Cargo.lock")).ok();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    host.rustc = output(&rustc, &["--version"], Some(root));
    host.git_revision = git(&["rev-parse", "HEAD"]);
    host.git_modified =
        git(&["status", "--porcelain", "--untracked-files=no"]).map(|changes| !changes.is_empty());
    host.lock_file_blake3 =
        lock.as_ref().map(|text| blake3::hash(text.as_bytes()).to_hex().to_string());
    host.versions = lock.as_deref().map(versions).unwrap_or_default();
}

/// The versions of the compared crates in a `Cargo.lock`, which has them all without a network.
fn versions(lock: &str) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    let Ok(document) = DeTable::parse(lock) else { return versions };
    let packages = document.get_ref().get("package").and_then(|value| value.get_ref().as_array());
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get_ref().get(key)?.get_ref().as_str();
        let Some((name, version)) = text("name").zip(text("version")) else { continue };
        if !COMPARED.contains(&name) {
            continue;
        }
        let known = versions.entry(name.to_owned()).or_default();
        let separator = if known.is_empty() { "" } else { " and " };
        known.push_str(&format!("{separator}{version}"));
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"mio\"\nversion = \"0.8.11\"\n\n\
            [[package]]\nname = \"mio\"\nversion = \"1.2.4\"\n\n\
            [[package]]\nname = \"other\"\nversion = \"1.0.0\"\n\n\
            [[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\ndependencies = [\n \"mio 1.2.4\",\n]\n";
        let expected = [("mio", "0.8.11 and 1.2.4"), ("tokio", "1.2.3")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(versions(lock), BTreeMap::from(expected));
        assert!(versions("not [TOML").is_empty());
    }

    #[test]
    fn the_workspaces_own_lock_file_has_every_compared_crate() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let versions = versions(&fs::read_to_string(lock).unwrap());
        assert_eq!(versions.len(), COMPARED.len(), "{versions:?}");
    }
}
