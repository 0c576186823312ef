//! Whether runs measured the same, so that they may be compared or pooled.

use std::collections::BTreeSet;

use serde_json::Value;
use workloads::UsageError;
use workloads::{Profile, find};

use crate::run::Run;
use crate::setting;
use crate::setting::Setting;
use record::{Plan, PlannedCase};

/// Visits that are enough to tell a copy of a run from another one.
const COMPARED_VISITS: usize = 10;

/// Refuses runs of which one case or more has other parameters, workers or sampling.
///
/// # Errors
/// One sentence that names the case and both values.
pub fn check(one: &Run, other: &Run) -> Result<(), UsageError> {
    let names = format!("{} and {}", one.name, other.name);
    let refuse = |what: String| {
        Err(UsageError(format!(
            "{names} cannot be held against each other: {what}; measure both with the same profile, \
             parameters and --workers"
        )))
    };
    let mut common = 0;
    for (a, b) in pairs(&one.plan, &other.plan) {
        common += 1;
        let id = &a.id;
        if a.workers != b.workers {
            return refuse(format!(
                "{id} had {} workers in one and {} in the other",
                a.workers, b.workers
            ));
        }
        if a.metric != b.metric {
            return refuse(format!(
                "{id} goes by {} in one and by {} in the other",
                a.metric, b.metric
            ));
        }
        if a.sampling != b.sampling {
            let profiles = (one.plan.profile, other.plan.profile);
            return refuse(format!(
                "{id} was sampled as in {} and as in {}",
                profiles.0, profiles.1
            ));
        }
        if let Some((key, in_a, in_b)) = difference(one.plan.profile, a, b) {
            return refuse(format!("{id} had {key}={in_a} in one and {key}={in_b} in the other"));
        }
    }
    if common == 0 {
        return refuse("they have no case in common".to_owned());
    }
    Ok(())
}

/// Refuses runs that are no sessions of the same programs on the same machine.
///
/// # Errors
/// One sentence that names what differs.
pub fn check_sessions(one: &Run, other: &Run) -> Result<(), UsageError> {
    check(one, other)?;
    let names = format!("{} and {}", one.name, other.name);
    let refuse = |what: &str| {
        Err(UsageError(format!(
            "{names} are no sessions of the same comparison: {what}; use `compare` to see what changed"
        )))
    };
    let ids = |run: &Run| -> BTreeSet<String> {
        run.plan.cases.iter().map(|case| case.id.clone()).collect()
    };
    if ids(one) != ids(other) {
        return refuse("they have other cases");
    }
    let obstacles = setting::obstacles(&Setting::of_run(one), &Setting::of_run(other));
    if !obstacles.is_empty() {
        return refuse(&format!("what they were measured with differs, {}", obstacles.join("; ")));
    }
    if one.plan.entries != other.plan.entries {
        return refuse("their entries differ");
    }
    if one.plan.design.block != other.plan.design.block {
        return refuse("their superblocks differ in size");
    }
    if same_measurements(one, other) {
        return refuse("they hold the same measurements, as a copy of a run does");
    }
    Ok(())
}

/// Whether the visits of one run are those of the other as far as both go: no two take the same nanoseconds.
fn same_measurements(one: &Run, other: &Run) -> bool {
    let times = |run: &Run| run.visits().map(|visit| visit.visit_ns).collect::<Vec<_>>();
    let (one, other) = (times(one), times(other));
    let both = one.len().min(other.len()).min(COMPARED_VISITS);
    both > 0 && one[..both] == other[..both]
}

/// The cases that both plans have.
pub fn pairs<'a>(
    one: &'a Plan,
    other: &'a Plan,
) -> impl Iterator<Item = (&'a PlannedCase, &'a PlannedCase)> {
    one.cases.iter().filter_map(|a| Some((a, other.cases.iter().find(|b| b.id == a.id)?)))
}

/// The rates of a case that was driven at another one in each run, each found by its own search: latencies at
/// other rates are not of the same thing.
pub fn other_rates<'a>(a: &'a PlannedCase, b: &'a PlannedCase) -> Option<(&'a Value, &'a Value)> {
    let rates = (&a.params["rate"], &b.params["rate"]);
    (rates.0 != rates.1).then_some(rates)
}

/// A parameter that was chosen, and that differs. What the machine's speed or the capacity that was found
/// has settled may differ: such a parameter is 0 in the profile.
fn difference(
    profile: Profile,
    a: &PlannedCase,
    b: &PlannedCase,
) -> Option<(String, Value, Value)> {
    let settled = |key: &str| {
        let cases = find(&a.workload).map(|entry| entry.cases(profile)).unwrap_or_default();
        cases.iter().any(|case| {
            let same_label = a.id == case.id || a.id.strip_prefix(&case.id).is_some();
            same_label && case.params[key] == 0
        })
    };
    let (one, other) = (a.params.as_object()?, b.params.as_object()?);
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    keys.into_iter()
        .map(|key| (key.clone(), a.params[key].clone(), b.params[key].clone()))
        .find(|(key, in_a, in_b)| in_a != in_b && !settled(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::fixtures::plan;

    fn run(name: &str, plan: Plan) -> Run {
        Run::in_memory(name, plan, Vec::new())
    }

    #[test]
    fn other_parameters_and_workers_are_refused_by_name() {
        let same = || plan(&["map", "grain/10us"], &["a"], 3);
        assert!(check(&run("A", same()), &run("B", same())).is_ok());
        let refused = |change: fn(&mut Plan)| {
            let mut changed = same();
            change(&mut changed);
            check(&run("A", same()), &run("B", changed)).unwrap_err().0
        };
        let workers = refused(|plan| plan.cases[0].workers = 4);
        assert!(workers.contains("map had 2 workers in one and 4 in the other"), "{workers}");
        let blocks = refused(|plan| plan.cases[0].params = serde_json::json!({"blocks": 7}));
        assert!(blocks.contains("map had blocks=null in one and blocks=7"), "{blocks}");
        let nothing = refused(|plan| plan.cases.clear());
        assert!(nothing.contains("no case in common"), "{nothing}");
    }

    #[test]
    fn what_the_machine_has_settled_may_differ() {
        let with = |steps: u64| {
            let mut plan = plan(&["grain/10us"], &["a"], 3);
            plan.cases[0].params = serde_json::json!({"grain_ns": 10_000, "steps": steps});
            plan
        };
        assert!(check(&run("A", with(5)), &run("B", with(6))).is_ok());
    }

    #[test]
    fn other_programs_are_no_sessions() {
        let mut one = plan(&["map"], &["a"], 3);
        one.entries[0].program_blake3 = "one".to_owned();
        let mut other = one.clone();
        other.entries[0].program_blake3 = "other".to_owned();
        let error = check_sessions(&run("A", one), &run("B", other)).unwrap_err().0;
        let what = "A and B are no sessions of the same comparison: what they were measured with differs, \
            strategy a: other program (one → other); use `compare`";
        assert!(error.starts_with(what), "{error}");
    }

    #[test]
    fn other_machines_are_no_sessions_and_another_revision_of_the_same_programs_is_none() {
        let run = |name: &str| run(name, plan(&["map"], &["a"], 3));
        let (one, mut other) = (run("A"), run("B"));
        other.host.git_revision = Some("new".to_owned());
        assert!(check_sessions(&one, &other).is_ok());
        let known = |run: &Run| {
            let mut run = run.clone();
            run.host.cpu = Some("ARM 0x41/0xd0c (Neoverse-N1), r3p1".to_owned());
            run.host.file_system = Some("ext4".to_owned());
            run
        };
        assert!(check_sessions(&one, &known(&other)).is_ok(), "what is unknown is no difference");
        let mut elsewhere = known(&other);
        elsewhere.host.cpu = Some("ARM 0x41/0xd40 (Neoverse-V1), r1p1".to_owned());
        elsewhere.host.file_system = Some("tmpfs".to_owned());
        let error = check_sessions(&known(&one), &elsewhere).unwrap_err().0;
        assert!(error.contains("CPU: ARM 0x41/0xd0c"), "{error}");
        assert!(error.contains("; file system: ext4 → tmpfs; use `compare`"), "{error}");
    }
}
