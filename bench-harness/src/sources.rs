//! `sources.json`: the code of the strategies as it was when they were built, so that a report shows what
//! was measured and not what became of it.

use record::{SCHEMA, Sources};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Of these strategies of a workspace, without their tests. What cannot be read is left out.
pub(crate) fn of_workspace(root: &Path, strategies: &[&str]) -> Sources {
    let of = |name: &&str| {
        let folder = root.join("crates").join(format!("strategy-{name}")).join("src");
        ((*name).to_owned(), files(&folder))
    };
    let strategies = strategies.iter().map(of).filter(|(_, files)| !files.is_empty());
    Sources { schema: SCHEMA, strategies: strategies.collect() }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|name| name.ends_with(".rs"))?;
        Some((name, fs::read_to_string(entry.path()).ok()?))
    };
    let mut files: BTreeMap<_, _> =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(read).collect();
    let main = files.get("main.rs").cloned().unwrap_or_default();
    files.retain(|name, _| {
        let module = name.trim_end_matches(".rs");
        !main.contains(&format!("#[cfg(test)]\nmod {module};"))
    });
    for text in files.values_mut() {
        if let Some(end) = text.find("\n#[cfg(test)]\nmod tests {") {
            text.truncate(end);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::models;

    #[test]
    fn every_strategy_has_the_code_of_its_workloads_and_no_tests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let sources = crate::sources::of_workspace(&root, &models::names());
        for workload in workloads::catalog() {
            let (name, text) = sources.of_workload("tokio", workload.spec.name).unwrap();
            assert!(text.contains("impl "), "{name}");
        }
        assert_eq!(sources.strategies.len(), models::MODELS.len());
        let texts = sources.strategies.values().flat_map(BTreeMap::values);
        assert!(texts.clone().count() > 100);
        assert!(texts.into_iter().all(|text| !text.contains("#[test]")));
        assert_eq!(sources.of_workload("tokio", "vocabulary"), None, "it is a test");
        assert_eq!(sources.of_workload("unheard-of", "map"), None);
    }
}
