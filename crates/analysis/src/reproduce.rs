//! The command that does a run again.

use std::collections::BTreeSet;

use launch::selection;
use workloads::{Entry, Profile, catalog};

use record::Change;
use record::Host;
use record::axis::Quantity;
use record::map::{self, Map};
use record::models;
use record::program::Origin;
use record::{Plan, Purpose};

/// With every option that is not the profile's own; seed and workers always, but for the workers where they are
/// an axis of a map.
pub fn command(plan: &Plan, host: &Host) -> String {
    let purpose = match plan.purpose() {
        Purpose::Comparison => "run",
        Purpose::Decision => "decide PROFILE.toml",
        Purpose::Map if plan.service.as_ref().is_some_and(map::is_plain) => "map",
        Purpose::Map => "map PROFILE.toml",
    };
    let mut words = vec![format!("cargo run --release -- {purpose} --profile {}", plan.profile)];
    if let Some(map) = &plan.map {
        words.push(map.options());
    }
    let is_change = |id: &str| Change::ALL.iter().any(|change| change.id() == id);
    let described_only =
        plan.purpose() == Purpose::Decision && !plan.cases.iter().any(|case| is_change(&case.id));
    if described_only {
        words.push("--described-only".to_owned());
    }
    let has_cases = |entry: &Entry| !entry.cases(plan.profile).is_empty();
    let all: BTreeSet<_> =
        catalog().iter().filter(|entry| has_cases(entry)).map(|entry| entry.spec.name).collect();
    let measured: BTreeSet<_> = plan.cases.iter().map(|case| case.workload.as_str()).collect();
    let single: Vec<_> =
        measured.iter().flat_map(|workload| single_cases(plan, workload)).collect();
    if (measured != all || !single.is_empty()) && plan.service.is_none() {
        let of_single =
            |workload: &&str| single.iter().any(|id| id.starts_with(&format!("{workload}/")));
        let whole =
            measured.iter().filter(|workload| !of_single(workload)).map(|w| (*w).to_owned());
        words.push(format!("--workload {}", listed(whole.chain(single.iter().cloned()))));
    }
    let mut strategies: Vec<_> = plan.entries.iter().map(|entry| entry.strategy.as_str()).collect();
    strategies.dedup();
    if strategies != models::names() {
        words.push(format!("--strategy {}", listed(strategies.iter().copied())));
    }
    let ready_built = host.origin == Some(Origin::ReadyBuilt);
    if ready_built || strategies.iter().any(|strategy| models::find(strategy).is_none()) {
        words.push("--bin-dir DIR".to_owned());
    }
    let usual = record::design(plan.profile, plan.purpose());
    let own = plan.design == usual;
    if !own {
        words.push(format!("--rounds {}", plan.design.most_rounds()));
    }
    let own_budget =
        if own { record::budget(plan.profile, plan.purpose(), described_only) } else { None };
    if let Some(budget) = plan.budget().filter(|budget| Some(*budget) != own_budget) {
        let budget = humantime::format_duration(budget).to_string();
        words.push(format!("--time-budget {}", budget.replace(' ', "")));
    }
    let of_workers =
        |map: &Map| [&map.x, &map.y].iter().any(|axis| axis.quantity == Quantity::Workers);
    if !plan.map.as_ref().is_some_and(of_workers) {
        let workers: BTreeSet<_> = plan.cases.iter().map(|case| case.workers).collect();
        let workers = listed(workers.into_iter().map(|count| count.to_string()));
        words.push(format!("--workers {workers}"));
    }
    words.push(format!("--seed {}", plan.seed));
    if plan.faithful {
        words.push("--faithful".to_owned());
    }
    // A decision's follows from its service.
    if plan.purpose() == Purpose::Comparison
        && plan.time_limit() != selection::time_limit(plan.faithful)
    {
        words.push(format!("--time-limit {}", plan.time_limit().as_secs()));
    }
    words.join(" ")
}

/// The ids of a workload's cases, where single ones were chosen.
fn single_cases(plan: &Plan, workload: &str) -> BTreeSet<String> {
    let Some(entry) = workloads::find(workload) else { return BTreeSet::new() };
    let ids = |profile| entry.cases(profile).into_iter().map(|case| case.id);
    let profiles = Profile::ALL;
    let known: BTreeSet<_> = profiles.into_iter().flat_map(ids).collect();
    let own: BTreeSet<_> = ids(plan.profile).collect();
    let of_workload = plan.cases.iter().filter(|case| case.workload == workload);
    let planned = of_workload.map(|case| case.swept.clone().unwrap_or_else(|| case.id.clone()));
    let planned: BTreeSet<_> = planned.filter(|id| known.contains(id)).collect();
    let is_whole = planned.is_empty() || own.is_subset(&planned);
    let has_ids = planned.iter().all(|id| id.contains('/'));
    if is_whole || !has_ids { BTreeSet::new() } else { planned }
}

/// Separated by commas, and quoted where a shell would see more than a word.
fn listed(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<_> = words.map(|word| word.as_ref().to_owned()).collect();
    let list = words.join(",");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | '-' | '_' | '.');
    if list.chars().all(plain) { list } else { format!("'{}'", list.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::fixtures::plan;

    #[test]
    fn options_that_are_the_profiles_own_are_left_out() {
        let mut part = plan(&["map", "gather/n=10"], &["tokio", "floor/sequential"], 7);
        part.seed = 3;
        part.budget_ms = Some(90_000);
        let command = command(&part, &Host::default());
        for words in [
            "--workload gather,map --strategy tokio,floor ",
            "--rounds 7 --time-budget 1m30s ",
            "--seed 3",
        ] {
            assert!(command.contains(words), "{words}: {command}");
        }
        assert!(!command.contains("--faithful") && !command.contains("--bin-dir"), "{command}");
    }

    #[test]
    fn single_cases_are_asked_for_by_their_ids() {
        let part = plan(&["map", "join/cutoff=3", "channel/1:1,cap=64"], &["tokio"], 7);
        let command = command(&part, &Host::default());
        let words = "--workload 'map,channel/1:1,cap=64,join/cutoff=3'";
        assert!(command.contains(words), "{command}");
    }

    #[test]
    fn a_name_that_a_shell_would_carry_out_is_quoted() {
        let command = command(&plan(&["map"], &["$(reboot)'"], 7), &Host::default());
        assert!(command.contains("--strategy '$(reboot)'\\''' --bin-dir DIR"), "{command}");
    }

    #[test]
    fn ready_built_programs_have_to_be_given_again() {
        let host = Host { origin: Some(Origin::ReadyBuilt), ..Host::default() };
        let command = command(&plan(&["map"], &["tokio"], 7), &host);
        assert!(command.contains(" --bin-dir DIR "), "{command}");
    }
}
