use std::time::Duration;

use protocol::Measured;
use protocol::{Fact, How};

use record::CAPACITY;
use record::service::Optimise;

use super::*;
use crate::findings::Report;
use crate::fixtures::process;
use crate::run::Run;
use record::fixtures::plan;
use record::fixtures::service;
use record::journal::{Measurement, Outcome as Measurements};

/// A search that found this capacity.
fn serves(per_second: u64) -> Measured {
    let mut measured = process(1_000_000, How::fair("f", "l"));
    for sample in &mut measured.samples {
        sample.facts.insert(Fact::CapacityPerSecond, per_second);
    }
    measured
}

/// An entry, and what it serves a second in each round.
type Serves = (&'static str, [u64; 3]);

/// The decision where these entries serve so much a second in each round of each case.
fn decided(service: &ServiceProfile, cases: &[(&str, &[Serves])]) -> Decision {
    let ids: Vec<_> = cases.iter().map(|(id, _)| *id).collect();
    let entries: Vec<_> = cases[0].1.iter().map(|(entry, _)| *entry).collect();
    let mut plan = plan(&ids, &entries, 3);
    plan.service = Some(service.clone());
    for case in &mut plan.cases {
        case.metric = workloads::Metric::Capacity;
    }
    for entry in &mut plan.entries {
        let left_out = service.left_out().into_iter().find(|(name, _)| *name == entry.strategy);
        entry.excluded = left_out.map(|(_, reason)| reason);
    }
    let measurements = cases.iter().flat_map(|(case, entries)| {
        entries.iter().flat_map(move |(entry, rates)| {
            (0..).zip(rates).map(move |(round, rate)| Measurement {
                round,
                case: (*case).to_owned(),
                entry: (*entry).to_owned(),
                twin: false,
                started_ms: 0,
                visit_ns: 1,
                outcome: Measurements::Measured(serves(*rate)),
            })
        })
    });
    let run = Run::in_memory("example", plan, measurements.collect());
    Report::of(&run).decision.unwrap()
}

const FAST: [u64; 3] = [5_000, 5_010, 4_990];
const SLOW: [u64; 3] = [2_500, 2_510, 2_490];

#[test]
fn who_is_clear_of_all_others_is_chosen() {
    let service = service(Optimise::Throughput);
    let decision = decided(&service, &[(DESCRIBED, &[("tokio", FAST), ("threads", SLOW)])]);
    assert_eq!((decision.outcome, decision.chosen.as_deref()), (Outcome::Clear, Some("tokio")));
    assert!(decision.summary.contains("threads 2.00×"), "{}", decision.summary);
}

#[test]
fn ties_are_decided_by_the_declared_order_and_never_by_noise() {
    let mut service = service(Optimise::Throughput);
    let tied = [("tokio", FAST), ("smol", [5_005, 5_008, 4_994]), ("threads", SLOW)];
    let decision = decided(&service, &[(DESCRIBED, &tied)]);
    assert_eq!((decision.outcome, decision.chosen), (Outcome::Tied, None));
    service.preferences.order = vec!["threads".to_owned(), "smol".to_owned()];
    let decision = decided(&service, &[(DESCRIBED, &tied)]);
    assert_eq!(decision.outcome, Outcome::ByPreference);
    assert_eq!(decision.chosen.as_deref(), Some("smol"), "threads are slower, preferred or not");
}

#[test]
fn what_the_measurements_do_not_tell_stays_undecided_with_what_would_settle_it() {
    let service = service(Optimise::Throughput);
    let scattered = [("tokio", [5_000, 3_000, 7_000]), ("smol", [4_000, 6_000, 3_500])];
    let decision = decided(&service, &[(DESCRIBED, &scattered)]);
    assert_eq!((decision.outcome, decision.chosen), (Outcome::Undecided, None));
    assert!(decision.settles.unwrap().contains("smol"));
}

#[test]
fn what_is_ahead_of_all_is_chosen_although_others_may_be_close() {
    // The first is ahead for certain, the second by less or by more than the margin.
    let entries = [("tokio", [5_000, 5_003, 4_997]), ("smol", [4_880, 4_860, 4_900])];
    let decision = decided(&service(Optimise::Throughput), &[(DESCRIBED, &entries)]);
    assert_eq!((decision.outcome, decision.chosen.as_deref()), (Outcome::Clear, Some("tokio")));
    assert!(
        decision.summary.contains("whether by more than 10 % of smol is not known"),
        "{}",
        decision.summary
    );
}

#[test]
fn preferences_and_broken_limits_exclude_with_a_reason_and_the_others_are_judged_without() {
    let mut service = service(Optimise::Throughput);
    service.load.rate = Some(3_000);
    let entries = [("async-std", [9_000, 9_010, 8_990]), ("tokio", FAST), ("threads", SLOW)];
    let decision = decided(&service, &[(DESCRIBED, &entries)]);
    assert_eq!((decision.outcome, decision.chosen.as_deref()), (Outcome::Clear, Some("tokio")));
    let reason = |entry: &str| {
        let option = decision.options.iter().find(|option| option.entry == entry).unwrap();
        option.excluded.clone().unwrap_or_default()
    };
    assert!(reason("async-std").contains("discontinued"), "{}", reason("async-std"));
    assert!(reason("threads").contains("3.00 k/s are asked for"), "{}", reason("threads"));
    service.limits.memory_bytes = Some(1 << 20);
    let decision = decided(&service, &[(DESCRIBED, &entries)]);
    assert_eq!((decision.outcome, decision.chosen), (Outcome::Nobody, None));
}

#[test]
fn a_p99_of_twice_the_objective_excludes_unless_the_search_served_the_rate() {
    let excluded = |p99_ns, cases: &[(&str, &[Serves])]| {
        let mut service = service(Optimise::Cpu);
        // The p99 of all is 9 µs.
        service.objective.p99 = Duration::from_nanos(p99_ns);
        decided(&service, cases).options[0].excluded.clone().unwrap_or_default()
    };
    let described: (&str, &[Serves]) = (DESCRIBED, &[("tokio", FAST), ("smol", FAST)]);
    let reason = excluded(4_000, &[described]);
    assert!(reason.contains("its p99 is 9.0"), "{reason}");
    assert!(reason.contains("the objective is 4.00 µs"), "{reason}");
    assert_eq!(excluded(5_000, &[described]), "", "less may be noise");
    let searched: (&str, &[Serves]) = (CAPACITY, &[("tokio", FAST), ("smol", FAST)]);
    assert_eq!(excluded(4_000, &[described, searched]), "");
}

#[test]
fn what_met_the_objective_at_the_rate_is_not_excluded_by_a_search() {
    let excluded = |p99_ns| {
        let mut service = service(Optimise::Cpu);
        service.load.rate = Some(1_000_000);
        // The p99 of all is 9 µs, and the search found less than the rate.
        service.objective.p99 = Duration::from_nanos(p99_ns);
        let described: (&str, &[Serves]) = (DESCRIBED, &[("tokio", FAST), ("smol", FAST)]);
        let searched: (&str, &[Serves]) = (CAPACITY, &[("tokio", SLOW), ("smol", SLOW)]);
        decided(&service, &[described, searched]).options[0].excluded.clone()
    };
    assert_eq!(excluded(10_000), None);
    assert!(excluded(8_000).unwrap().contains("are asked for"));
}

#[test]
fn a_change_that_was_not_measured_says_so() {
    let same = [("tokio", FAST), ("threads", SLOW)];
    let cases: &[(&str, &[Serves])] = &[(DESCRIBED, &same), ("traffic/half-cpu", &[])];
    let decision = decided(&service(Optimise::Throughput), cases);
    let half = decision.sensitivity.iter().find(|s| s.change == Change::HalfCpu).unwrap();
    assert_eq!(half.effect, Effect::None);
    assert!(half.sentence.contains("not measured, for want of time"), "{}", half.sentence);
}

#[test]
fn sensitivity_says_which_change_flips_the_decision() {
    let service = service(Optimise::Throughput);
    let flipped = [("tokio", SLOW), ("threads", FAST)];
    let same = [("tokio", FAST), ("threads", SLOW)];
    let decision = decided(
        &service,
        &[
            (DESCRIBED, &same),
            ("traffic/half-connections", &flipped),
            ("traffic/double-connections", &same),
        ],
    );
    let effect = |change| decision.sensitivity.iter().find(|s| s.change == change).unwrap();
    assert_eq!(effect(Change::HalfConnections).effect, Effect::Flips);
    assert!(effect(Change::HalfConnections).sentence.contains("tokio is 2.00×"));
    assert_eq!(effect(Change::DoubleConnections).effect, Effect::Holds);
    assert_eq!(effect(Change::HalfCpu).effect, Effect::None, "not measured");
    assert_eq!(effect(Change::HalfBlocking).effect, Effect::None, "nobody blocks");
}

#[test]
fn a_change_that_does_not_fit_is_named_with_its_reason() {
    let change = Change::DoubleCpu;
    let reason = "a request computes for at most a second".to_owned();
    let left_out = [LeftOut { case: change.id().to_owned(), reason: reason.clone() }];
    let service = service(Optimise::Cpu);
    let of = sensitivity(&service, &[], &[], Some(&left_out), None, change);
    assert_eq!(
        of.sentence,
        format!("With twice the CPU time per request: not measured: {reason}.")
    );
}
