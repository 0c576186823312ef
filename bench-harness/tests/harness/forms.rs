//! The book names the workloads, their parameters and cases, and the form in which each strategy does each:
//! `UPDATE_DOCS=1 cargo test -p bench-harness --test harness forms` writes these tables.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use workloads::{Entry, Profile, catalog};

use crate::bench::built;
use crate::book::{hold, page};

const STRATEGIES: [&str; 7] = ["threads", "rayon", "tokio", "async-std", "smol", "hybrid", "floor"];
const PROFILES: [Profile; 4] =
    [Profile::Smoke, Profile::Quick, Profile::Standard, Profile::Thorough];

/// A form of a workload as `list` prints it, or that there is none.
struct Form {
    workload: String,
    strategy: &'static str,
    variant: String,
    /// Whether a run without `--variant` takes this variant.
    usual: bool,
    /// The first case in which it is used.
    case: String,
    standing: String,
    /// The form and its link; none where it is unsupported.
    form: Option<(String, String)>,
}

impl Form {
    fn is_of_same_variant(&self, other: &Form) -> bool {
        (self.strategy, &self.variant) == (other.strategy, &other.variant)
    }

    /// Name of the strategy; with the variant unless it is the usual one of a model.
    fn entry(&self) -> String {
        if self.usual && self.strategy != "floor" {
            self.strategy.to_owned()
        } else {
            format!("{}, {}", self.strategy, self.variant)
        }
    }
}

fn list(strategy: &str) -> String {
    let output = Command::new(built(strategy)).arg("list").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The forms that a strategy lists.
fn listed(strategy: &'static str) -> Vec<Form> {
    let text = list(strategy);
    let mut forms = Vec::new();
    let (mut variant, mut usual, mut workload) = ("", "", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim_start();
        if depth == 0
            && let Some((_, name)) = line.split_once(", variant ")
        {
            variant = name;
            usual = if usual.is_empty() { name } else { usual };
        } else if depth == 2 {
            workload = line.split(' ').next().unwrap();
        } else if depth == 4 && !line.starts_with("--") {
            let (case, form) = line.split_once(": ").unwrap();
            let (case, remark) = case.split_once(" (").unwrap_or((case, "fair)"));
            let is_supported = !form.starts_with("unsupported: ");
            let standing = if is_supported { remark.trim_end_matches(')') } else { "unsupported" };
            forms.push(Form {
                workload: workload.to_owned(),
                strategy,
                variant: variant.to_owned(),
                usual: variant == usual,
                case: case.to_owned(),
                standing: standing.to_owned(),
                form: is_supported
                    .then(|| (form.to_owned(), lines.next().unwrap().trim().to_owned())),
            });
        }
    }
    forms
}

/// The table of forms of one workload, known mistakes last. That there is none is told only of variants that have
/// no form in any case.
fn table_of_forms(forms: &[&Form]) -> String {
    let has_form = |form: &Form| {
        forms.iter().any(|other| other.form.is_some() && other.is_of_same_variant(form))
    };
    let told: Vec<_> = forms.iter().filter(|form| form.form.is_some() || !has_form(form)).collect();
    let mut table = "| strategy | form | standing |\n| --- | --- | --- |\n".to_owned();
    for misuse in [false, true] {
        for form in told.iter().filter(|form| (form.variant == "misuse") == misuse) {
            let mut entry = form.entry();
            if told.iter().filter(|other| other.is_of_same_variant(form)).count() > 1 {
                write!(entry, ", `{}`", form.case).unwrap();
            }
            let text = match &form.form {
                Some((form, link)) => format!("[{form}]({link})"),
                None => "—".to_owned(),
            };
            writeln!(table, "| {entry} | {text} | {} |", form.standing).unwrap();
        }
    }
    table
}

fn table_of_parameters(entry: &Entry) -> String {
    let mut table = "| key | range | meaning |\n| --- | --- | --- |\n".to_owned();
    for key in entry.keys {
        writeln!(table, "| `{}` | {} | {} |", key.name, key.range, key.meaning).unwrap();
    }
    table
}

fn table_of_cases(entry: &Entry) -> String {
    let mut table = "| profile | cases |\n| --- | --- |\n".to_owned();
    for profile in PROFILES {
        let ids: Vec<_> =
            entry.cases(profile).iter().map(|case| format!("`{}`", case.id)).collect();
        if !ids.is_empty() {
            writeln!(table, "| {profile} | {} |", ids.join(", ")).unwrap();
        }
    }
    table
}

#[test]
fn workload_pages_show_parameters_cases_and_forms() {
    let forms: Vec<_> = STRATEGIES.into_iter().flat_map(listed).collect();
    assert!(forms.len() > 100, "only {} forms are listed", forms.len());
    for entry in catalog() {
        let name = entry.spec.name;
        let ours: Vec<_> = forms.iter().filter(|form| form.workload == name).collect();
        let parts = [
            ("parameters", table_of_parameters(&entry)),
            ("cases", table_of_cases(&entry)),
            ("forms", table_of_forms(&ours)),
        ];
        hold(&format!("workloads/{name}.md"), &parts);
    }
}

#[test]
fn overview_and_summary_name_every_workload() {
    let mut table = "| workload | class | asks |\n| --- | --- | --- |\n".to_owned();
    for entry in catalog() {
        let spec = entry.spec;
        writeln!(table, "| [`{0}`]({0}.md) | {1} | {2} |", spec.name, spec.class, spec.question)
            .unwrap();
    }
    hold("workloads/index.md", &[("workloads", table)]);
    let summary = page("SUMMARY.md");
    let pages: Vec<_> = summary
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- [")?.split_once("](workloads/"))
        .map(|(name, _)| name)
        .filter(|name| *name != "Workloads")
        .collect();
    let names: Vec<_> = catalog().iter().map(|entry| entry.spec.name).collect();
    assert_eq!(pages, names);
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
fn overview_says_what_partial_variants_do() {
    let page = page("workloads/index.md");
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
