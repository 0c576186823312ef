//! Curves of made-up cases.

use protocol::Measured;
use protocol::{Fact, How};

use super::*;
use crate::findings::Report;
use crate::fixtures::process;
use crate::run::Run;
use record::fixtures::plan;
use record::journal::{Measurement, Outcome};

/// A report of cases whose entries, a strategy and the sequential floor, took these times.
fn report(cases: &[(&str, serde_json::Value, [Measured; 2])]) -> Report {
    let ids: Vec<_> = cases.iter().map(|(id, ..)| *id).collect();
    let entries = ["rayon", SEQUENTIAL];
    let mut plan = plan(&ids, &entries, 1);
    let mut measurements = Vec::new();
    for (planned, (id, params, outcomes)) in plan.cases.iter_mut().zip(cases) {
        planned.params = params.clone();
        planned.operations = 1;
        for (entry, measured) in entries.iter().zip(outcomes) {
            measurements.push(Measurement {
                round: 0,
                case: (*id).to_owned(),
                entry: (*entry).to_owned(),
                twin: false,
                started_ms: 0,
                visit_ns: 1,
                outcome: Outcome::Measured(measured.clone()),
            });
        }
    }
    Report::of(&Run::in_memory("example", plan, measurements))
}

fn took(rayon_ns: u64, floor_ns: u64) -> [Measured; 2] {
    [process(rayon_ns, How::fair("f", "l")), process(floor_ns, How::floor("f", "l"))]
}

#[test]
fn the_curve_of_grain_shows_efficiency_overhead_and_the_smallest_worthwhile_task() {
    let report = report(&[
        ("grain/small", serde_json::json!({}), took(200, 100)),
        ("grain/middle", serde_json::json!({}), took(1_000, 1_000)),
        ("grain/large", serde_json::json!({}), took(5_000, 10_000)),
    ]);
    let [curves] = &report.curves[..] else { panic!("{:?}", report.curves) };
    assert_eq!(
        curves.header(),
        [
            "entry",
            "task 100 ns",
            "1.00 µs",
            "10.0 µs",
            "CPU overhead a task",
            "beats one thread from",
            "90.0 % from"
        ]
    );
    let [line] = &curves.lines[..] else { panic!("the floor has no line") };
    assert_eq!(
        line.cells(),
        ["rayon", "25.0 %", "50.0 %", "100 %", "50.0 ns", "1.00 µs", "6.31 µs"]
    );
}

#[test]
fn memory_of_parked_tasks_shows_both_sides_and_leaves_open_what_is_missing() {
    let with_facts = |user: u64, kernel: u64| {
        let mut measured = process(1, How::fair("f", "l"));
        for sample in &mut measured.samples {
            sample.facts.insert(Fact::UserBytesPerTask, user);
            sample.facts.insert(Fact::KernelBytesPerTask, kernel);
        }
        measured
    };
    let case = |id, n, process: Measured| {
        (id, serde_json::json!({ "n": n }), [process, with_facts(64, 0)])
    };
    let nothing = process(1, How::fair("f", "l"));
    let report =
        report(&[case("idle/n=10", 10, with_facts(400, 20_000)), case("idle/n=20", 20, nothing)]);
    let [curves] = &report.curves[..] else { panic!("{:?}", report.curves) };
    assert_eq!(curves.header(), ["entry", "tasks 10", "20"]);
    assert_eq!(curves.lines[0].cells(), ["rayon", "400 + 20000", "—"]);
}

#[test]
fn one_case_makes_no_curve() {
    let report = report(&[("spawn/n=1", serde_json::json!({"n": 1}), took(200, 100))]);
    assert!(report.curves.is_empty());
}

#[test]
fn the_smallest_worthwhile_task_is_read_off_the_curve() {
    let shares = [(100.0, 0.1), (1_000.0, 0.5), (10_000.0, 0.9), (100_000.0, 1.0)];
    assert_eq!(worthwhile(&shares, 0.5), "1.00 µs");
    assert_eq!(worthwhile(&shares, 0.7), "3.16 µs", "half-way on a logarithmic scale");
    assert_eq!(worthwhile(&shares, 0.05), "below 100 ns");
    assert_eq!(worthwhile(&shares[..2], 0.9), "above 1.00 µs");
}

#[test]
fn a_share_that_is_lost_again_does_not_count() {
    let shares = [(100.0, 0.6), (1_000.0, 0.4), (10_000.0, 0.6)];
    assert_eq!(worthwhile(&shares, 0.5), "3.16 µs");
}
