//! WORKLOADS.md and README.md name the workloads that there are, which strategies do them, and in which form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::built;

const STRATEGIES: [&str; 7] = ["threads", "rayon", "tokio", "async-std", "smol", "hybrid", "floor"];
const STANDINGS: [&str; 4] = ["fair", "off-label", "misuse", "floor"];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    workload: String,
    strategy: String,
    standing: String,
    form: String,
    link: String,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Form { workload, strategy, standing, form, link } = self;
        write!(f, "\n{workload}, {strategy} ({standing}): {form} <{link}>")
    }
}

fn list(strategy: &str) -> String {
    let output = Command::new(built(strategy)).arg("list").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The forms that a strategy lists.
fn listed(strategy: &str) -> BTreeSet<Form> {
    let text = list(strategy);
    let mut forms = BTreeSet::new();
    let mut workload = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim_start();
        if depth == 2 {
            workload = line.split(' ').next().unwrap();
        }
        let is_form = depth == 4 && !line.starts_with("--") && !line.contains(": unsupported;");
        if is_form {
            let (case, form) = line.split_once(": ").unwrap();
            let standing =
                case.split_once(" (").map_or("fair", |(_, said)| &said[..said.len() - 1]);
            forms.insert(Form {
                workload: workload.to_owned(),
                strategy: strategy.to_owned(),
                standing: standing.to_owned(),
                form: form.replace('`', ""),
                link: lines.next().unwrap().trim().to_owned(),
            });
        }
    }
    forms
}

/// The forms in the tables of the page: a row for each, or a cell for each kind of handler. Behind a form may
/// stand where it is unsupported.
fn documented(page: &str) -> BTreeSet<Form> {
    let mut links = BTreeMap::new();
    for line in page.lines() {
        if let Some((name, link)) = line.strip_prefix('[').and_then(|line| line.split_once("]: ")) {
            links.insert(name, link);
        }
    }
    let link = |text: &str| {
        let (text, name) = text.strip_suffix(']')?.rsplit_once("][")?;
        Some((text.strip_prefix('[')?.to_owned(), (*links.get(name)?).to_owned()))
    };
    let mut forms = BTreeSet::new();
    let mut workload = "";
    for line in page.lines() {
        workload = line.strip_prefix("## ").unwrap_or(workload);
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<_> = cells.split(" |").map(str::trim).collect();
        let strategy = cells[0].split(',').next().unwrap();
        let mut insert = |standing: &str, form: &str, link: String| {
            let restricted = form.rsplit_once("; ").filter(|(_, why)| why.contains("unsupported"));
            forms.insert(Form {
                workload: workload.to_owned(),
                strategy: strategy.to_owned(),
                standing: standing.to_owned(),
                form: restricted.map_or(form, |(form, _)| form).replace('`', ""),
                link,
            });
        };
        match cells[..] {
            [_, form, standing, target] if STANDINGS.contains(&standing) => {
                let (_, link) = link(target).unwrap_or_else(|| panic!("no link: {line}"));
                insert(standing, form, link);
            }
            _ => {
                for (standing, form) in cells.iter().filter_map(|cell| cell.split_once(": ")) {
                    if STANDINGS.contains(&standing) {
                        let (form, link) = link(form).unwrap_or_else(|| panic!("no link: {line}"));
                        insert(standing, &form, link);
                    }
                }
            }
        }
    }
    forms
}

fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn the_page_and_the_strategies_name_the_same_forms() {
    let documented = documented(&page("WORKLOADS.md"));
    let listed: BTreeSet<_> = STRATEGIES.into_iter().flat_map(listed).collect();
    assert!(listed.len() > 100, "{listed:?}");
    let missing: Vec<_> = listed.difference(&documented).collect();
    let wrong: Vec<_> = documented.difference(&listed).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "WORKLOADS.md lacks {missing:?}\n\nand has instead {wrong:?}"
    );
}

/// The words in backticks, without what stands behind a slash.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).map(|word| word.split('/').next().unwrap()).collect()
}

/// The workloads that a variant lists.
fn workloads_of(list: &str, variant: &str) -> BTreeSet<String> {
    let ours = list.lines().skip_while(|line| !line.ends_with(&format!(", variant {variant}")));
    let ours = ours.skip(1).take_while(|line| !line.contains(", variant "));
    let is_workload = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    ours.filter(is_workload).map(|line| line.split_whitespace().next().unwrap().into()).collect()
}

#[test]
fn the_page_says_what_partial_variants_do() {
    let page = page("WORKLOADS.md");
    let (_, misuses) = page.split_once("| `misuse` of | does |").unwrap();
    let (misuses, _) = misuses.split_once("\n\n").unwrap();
    for strategy in ["threads", "rayon", "tokio", "async-std", "smol"] {
        let row = misuses.lines().find(|line| {
            let first = line.split('|').nth(1).unwrap_or_default();
            first.split(',').any(|name| name.trim() == strategy)
        });
        let documented = quoted(row.unwrap_or_else(|| panic!("{strategy} has no row")));
        let listed = workloads_of(&list(strategy), "misuse");
        assert!(documented.iter().eq(&listed), "{strategy}: {documented:?}, not {listed:?}");
    }
    let (_, hybrid) = page.split_once("`hybrid` does only").unwrap();
    let documented = quoted(hybrid.split('.').next().unwrap());
    let listed = workloads_of(&list("hybrid"), "tokio-rayon");
    assert!(documented.iter().eq(&listed), "hybrid: {documented:?}, not {listed:?}");
}

#[test]
fn the_pages_name_every_workload() {
    let mut catalogue: Vec<_> =
        workloads::catalog().into_iter().map(|entry| entry.spec.name).collect();
    let readme = page("README.md");
    let (_, table) = readme.split_once("| workload | asks |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let names: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(names, catalogue);
    let page = page("WORKLOADS.md");
    let sections: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    catalogue.retain(|name| !sections.contains(name));
    assert!(catalogue.is_empty(), "{catalogue:?} have no section");
}
