//! The command that a report gives to ask for the same again: it is understood, and asks for the same.

use std::time::Duration;

use analysis::reproduce;
use clap::Parser;
use protocol::Placement;
use record::fixtures::plan;
use record::models;
use record::program::Origin;
use record::{Host, Plan, Purpose};
use workloads::{Profile, catalog};

use crate::cli::args::{Cli, Command};
use crate::planning;
use crate::planning::map::Request;
use crate::planning::map::tests::request;

/// What the same-again command of a plan asks for, after a shell has read it.
fn again(plan: &Plan, host: &Host) -> Cli {
    let command = reproduce::command(plan, host);
    let options = command.strip_prefix("cargo run --release -- ").unwrap();
    let print = format!("set -- {options}; printf '%s\\n' \"$@\"");
    let output = std::process::Command::new("sh").args(["-c", &print]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let words = std::iter::once("bench-harness").chain(words.lines());
    Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{command}\n{error}"))
}

/// A plan with these cases, as a run makes it.
fn planned(sized: &[planning::SizedCase], purpose: Purpose) -> Plan {
    let mut plan = plan(&["traffic/x"], &models::names(), 3);
    let example = plan.cases.remove(0);
    let case = |sized: &planning::SizedCase| {
        planning::planned(sized, &sized.case, example.sampling, example.expected, purpose)
    };
    plan.cases = sized.iter().map(case).collect();
    plan.design = record::design(plan.profile, purpose);
    plan.budget_ms =
        record::budget(plan.profile, purpose, false).map(|budget| budget.as_millis() as u64);
    plan.time_limit_ms = launch::selection::time_limit(false).as_millis() as u64;
    plan
}

fn of_map(request: &Request) -> Plan {
    let (map, cases) = request.chart(Profile::Quick, 2).unwrap();
    let mut plan = planned(&cases, Purpose::Map);
    (plan.service, plan.map) = (Some(request.service.clone()), Some(map));
    plan
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.cases.iter().map(|case| case.id.as_str()).collect()
}

#[test]
fn the_same_map_is_asked_for_again_whatever_its_axes_are() {
    for (x, y) in [
        ("connections", "cpu"),
        ("workers=1..4", "cpu=1us..1ms"),
        ("wait=1ms..100ms", "workers=1..2"),
        ("connections=10..1000", "blocking"),
        ("payload=64B..1MiB", "wait=100us..1s"),
    ] {
        let asked = request(x, y);
        let plan = of_map(&asked);
        let Cli { command: Some(Command::Map(args)), .. } = again(&plan, &Host::default()) else {
            panic!("no map");
        };
        let request = Request {
            service: record::map::plain(),
            x: args.x,
            y: args.y,
            resolution: args.per_decade,
            full: args.full,
        };
        let workers = args.measure.workers.unwrap_or(7);
        let (_, cases) = request.chart(Profile::Quick, workers).unwrap();
        assert_eq!(ids(&planned(&cases, Purpose::Map)), ids(&plan));
        assert!(cases.iter().zip(&plan.cases).all(|(a, b)| a.workers == b.workers), "{x} {y}");
    }
    let mut own = request("workers=1..4", "cpu=1us..1ms");
    own.full = true;
    own.service.name = "another".to_owned();
    let Cli { command: Some(Command::Map(args)), .. } = again(&of_map(&own), &Host::default())
    else {
        panic!("no map");
    };
    assert!(args.full && args.file.is_some());
}

#[test]
fn the_same_decision_is_asked_for_again() {
    for described_only in [false, true] {
        let service = record::map::plain();
        let cases =
            planning::decision::cases(&service, Profile::Quick, described_only).unwrap().cases;
        let mut plan = planned(&planning::sized(cases, &[2]), Purpose::Decision);
        plan.service = Some(service);
        let budget = record::budget(Profile::Quick, Purpose::Decision, described_only);
        plan.budget_ms = budget.map(|budget| budget.as_millis() as u64);
        let Cli { command: Some(Command::Decide(args)), .. } = again(&plan, &Host::default())
        else {
            panic!("no decision");
        };
        assert_eq!(args.described_only, described_only);
        assert_eq!((args.measure.workers, args.measure.rounds), (Some(2), None));
        assert_eq!((args.measure.time_budget, args.measure.seed), (None, Some(1)));
    }
}

#[test]
fn the_same_comparison_is_asked_for_again() {
    let cases: Vec<_> = catalog()
        .iter()
        .flat_map(|entry| entry.cases(Profile::Quick).into_iter().map(|case| (*entry, case)))
        .collect();
    let whole = planned(&planning::sized(cases, &[1, 2, 4]), Purpose::Comparison);
    assert!(whole.cases.iter().any(|case| case.placement == Placement::OneCpu));
    let run = |plan: &Plan, host: &Host| {
        let Cli { command: Some(Command::Run(args)), .. } = again(plan, host) else {
            panic!("no run");
        };
        args
    };
    let args = run(&whole, &Host::default());
    assert_eq!((args.workers, args.workloads, args.rounds), (vec![1, 2, 4], vec![], None));
    assert_eq!((args.time_budget, args.time_limit, args.faithful), (None, None, false));

    let mut part = plan(&["map", "gather/n=10"], &["tokio", "$(reboot)'"], 7);
    part.profile = Profile::Thorough;
    part.budget_ms = Some(5_400_000);
    part.faithful = true;
    part.time_limit_ms = 7_000;
    part.seed = u64::MAX;
    let args = run(&part, &Host { origin: Some(Origin::ReadyBuilt), ..Host::default() });
    assert_eq!(args.profile, Profile::Thorough);
    assert_eq!(args.workloads, ["gather", "map"]);
    assert_eq!(args.programs.strategies, ["tokio", "$(reboot)'"]);
    assert!(args.programs.bin_dir.is_some() && args.faithful);
    assert_eq!((args.rounds, args.time_limit, args.seed), (Some(7), Some(7), Some(u64::MAX)));
    assert_eq!(args.time_budget, Some(Duration::from_mins(90)));
}
