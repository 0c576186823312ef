//! Whole schedules, carried out on made-up values.

use std::collections::BTreeMap;

use analysis::fixtures::process;
use analysis::map::refine::Standing;
use analysis::{Process, Visited};
use judge::Design;
use protocol::{Failure, FailureKind, How};
use record::fixtures::plan;
use record::journal::RoundEnd;
use record::noise::Noise;
use record::service::Optimise;
use workloads::Metric;

use super::*;

/// Carries a schedule out: entry `e` of case `c` takes `value(c, e, round)` nanoseconds, and so does its
/// twin.
fn carry_out(
    plan: &Plan,
    value: impl Fn(usize, usize, u32) -> Result<u64, FailureKind>,
    rejects: impl Fn(usize, u32) -> bool,
    budget: Option<f64>,
) -> (Vec<Next>, Vec<Vec<Round>>) {
    carry_out_cells(plan, |case, cell, round| value(case, cell.entry, round), rejects, budget)
}

fn carry_out_cells(
    plan: &Plan,
    value: impl Fn(usize, Cell, u32) -> Result<u64, FailureKind>,
    rejects: impl Fn(usize, u32) -> bool,
    budget: Option<f64>,
) -> (Vec<Next>, Vec<Vec<Round>>) {
    let mut cases: Vec<Vec<Round>> = vec![Vec::new(); plan.cases.len()];
    let mut schedule = Schedule::new(plan, &cases);
    let (mut carried_out, mut spent) = (Vec::new(), 0.0);
    let left = |spent: f64| budget.map(|b| Duration::from_secs_f64(f64::max(b - spent, 0.0)));
    while let Some(next) = schedule.next(left(spent)) {
        let mut round = Round::new(next.round);
        let mut cells = next.cells.clone();
        let mut position = 0;
        while let Some(cell) = cells.get(position).copied() {
            position += 1;
            let how = How::fair("f", "l");
            let outcome = value(next.case, cell, next.round)
                .map(|value| Process::of(Metric::Wall, 1, &process(value, how)))
                .map_err(|kind| Failure::new(kind, "no"));
            spent += 1.0;
            let (entry, twin) = (cell.entry, cell.twin);
            round.visits.push(Visited { entry, twin, visit_ns: 1_000_000_000, outcome });
            if position == next.cells.len() && cases[next.case].is_empty() {
                cells.extend(schedule.first_twin(next.case, std::slice::from_ref(&round)));
            }
        }
        let case = plan.cases[next.case].id.clone();
        let rejected = rejects(next.case, next.round).then(|| "noise".to_owned());
        round.end = Some(RoundEnd { round: next.round, case, noise: Noise::default(), rejected });
        cases[next.case].push(round);
        schedule.update(next.case, &cases[next.case]);
        carried_out.push(next);
        assert!(carried_out.len() < 1_000, "it never ends");
    }
    (carried_out, cases)
}

fn design(looks: &[usize]) -> Design {
    Design::new(1, looks)
}

fn visits(rounds: &[Round]) -> BTreeMap<(usize, bool), usize> {
    let mut count = BTreeMap::new();
    for visit in rounds.iter().flat_map(|round| &round.visits) {
        *count.entry((visit.entry, visit.twin)).or_default() += 1;
    }
    count
}

#[test]
fn cases_take_turns_and_orders_differ_from_round_to_round() {
    let plan = plan(&["map", "join"], &["a", "b", "c", "d", "e"], 4);
    let (turns, cases) = carry_out(&plan, |_, e, _| Ok(100 + e as u64), |_, _| false, None);
    let order: Vec<_> = turns.iter().map(|next| (next.round, next.case)).collect();
    assert_eq!(order, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);
    assert!(turns.iter().any(|next| next.cells[0].entry != turns[0].cells[0].entry));
    // The third was in the middle, so that it is visited twice in each round.
    assert_eq!(visits(&cases[0])[&(2, false)], 4);
    assert_eq!(visits(&cases[0])[&(2, true)], 4);
    assert_eq!(visits(&cases[0])[&(4, false)], 4);
    let again = carry_out(&plan, |_, e, _| Ok(100 + e as u64), |_, _| false, None).0;
    assert_eq!(turns, again, "the seed decides");
}

#[test]
fn an_entry_that_is_clearly_slower_leaves_and_a_settled_case_ends() {
    let mut plan = plan(&["map", "join"], &["a", "b", "c"], 0);
    plan.design = design(&[3, 6]);
    // In the first case all is plain, in the second the first two cannot be told apart.
    let noisy = |e: usize, r: u32| [100, 104, 108][(e + r as usize) % 3] + 900 * (e as u64 / 2);
    let value = |c: usize, e: usize, r: u32| Ok(if c == 0 { 100 << e } else { noisy(e, r) });
    let (_, cases) = carry_out(&plan, value, |_, _| false, None);
    assert_eq!(cases[0].len(), 3);
    assert_eq!(cases[1].len(), 6);
    assert_eq!(visits(&cases[1])[&(2, false)], 3, "the slow one left");
    assert_eq!(visits(&cases[1])[&(0, false)], 6);
}

#[test]
fn no_entry_leaves_between_two_looks() {
    let mut plan = plan(&["map"], &["a", "b", "c"], 0);
    plan.design = design(&[3, 6]);
    // Too wild for the first look, and plain from the fourth round on.
    let value = |_, e: usize, r: u32| match (e, r) {
        (2, 0) => Ok(150),
        (2, _) => Ok(2_000 + u64::from(r)),
        _ => Ok([100, 104, 108][(e + r as usize) % 3]),
    };
    let (_, cases) = carry_out(&plan, value, |_, _| false, None);
    assert_eq!(visits(&cases[0])[&(2, false)], 6);
}

#[test]
fn rejected_rounds_are_made_up_for() {
    let plan = plan(&["map"], &["a", "b"], 3);
    let (_, cases) = carry_out(&plan, |_, e, _| Ok(100 << e), |_, round| round % 2 == 0, None);
    assert_eq!(cases[0].iter().filter(|round| round.is_admitted()).count(), 3);
    assert_eq!(cases[0].len(), 6);
}

#[test]
fn a_round_that_was_interrupted_is_made_again() {
    let plan = plan(&["map"], &["a", "b"], 2);
    let next = Schedule::new(&plan, &[vec![Round::new(0)]]).next(None).unwrap();
    assert_eq!((next.round, next.cells.len()), (1, 2));
}

#[test]
fn a_cell_that_failed_is_not_visited_again_and_a_void_one_is() {
    let plan = plan(&["map"], &["a", "b", "c"], 4);
    let value = |_, entry: usize, round| match (entry, round) {
        (0, 1) => Err(FailureKind::Timeout),
        (1, 0) => Err(FailureKind::Void),
        _ => Ok(100),
    };
    let (_, cases) = carry_out(&plan, value, |_, _| false, None);
    let visits = visits(&cases[0]);
    assert_eq!((visits[&(0, false)], visits[&(1, false)]), (2, 4));
}

#[test]
fn a_twin_that_fails_leaves_and_its_original_stays() {
    let mut plan = plan(&["map"], &["a", "b", "c"], 0);
    plan.design = design(&[4, 8]);
    // Too close to be told apart, so that the second look is needed.
    let value = |_, cell: Cell, round: u32| match (cell.twin, round) {
        (true, 1) => Err(FailureKind::Crashed),
        _ => Ok([100, 104, 108][(cell.entry + round as usize) % 3]),
    };
    let (_, cases) = carry_out_cells(&plan, value, |_, _| false, None);
    let visits = visits(&cases[0]);
    let twin = *visits.keys().find(|(_, twin)| *twin).unwrap();
    assert_eq!(visits[&twin], 2);
    assert_eq!([0, 1, 2].map(|entry| visits[&(entry, false)]), [8, 8, 8]);
}

#[test]
fn a_twin_that_fails_on_a_map_leaves_its_original_among_the_best() {
    let request = crate::planning::map::tests::request("connections=1..10", "cpu=1us..10us");
    let (map, cases) = request.chart(workloads::Profile::Quick, 2).unwrap();
    let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
    let mut plan = plan(&ids, &["a", "b"], 3);
    plan.service = Some(request.service);
    plan.map = Some(map);
    let value = |_, cell: Cell, round| match cell.twin {
        true => Err(FailureKind::Crashed),
        false => Ok(100 + u64::from(round)),
    };
    let (_, measured) = carry_out_cells(&plan, value, |_, _| false, None);
    let schedule = Schedule::new(&plan, &measured);
    let standings: Vec<_> =
        schedule.cases.iter().filter_map(|case| case.standings.clone()).collect();
    assert!(!standings.is_empty());
    assert_eq!(standings, vec![[Some(Standing::In); 2]; standings.len()]);
}

#[test]
fn time_that_remains_goes_to_the_service_as_described_before_its_changes() {
    let mut plan = plan(&["traffic/half-cpu", record::DESCRIBED], &["a", "b"], 0);
    plan.design = design(&[3, 9]);
    plan.service = Some(record::fixtures::service(Optimise::Throughput));
    // The larger difference, which would go first, is the change's.
    let value = |c: usize, e: usize, r: u32| {
        let wave = [0, 40, 80][(e + r as usize) % 3];
        Ok(if c == 1 { 1_000 + wave / 10 } else { (1_000 + 1_000 * e as u64) + 25 * wave })
    };
    let (turns, cases) = carry_out(&plan, value, |_, _| false, Some(40.0));
    assert_eq!(cases[0].len(), 3, "{turns:?}");
    assert!(cases[1].len() > 3);
}

#[test]
fn changes_are_begun_only_if_their_first_look_can_be_reached_beside_that_of_the_described() {
    let cases = ["traffic/half-cpu", record::DESCRIBED, "traffic/double-cpu"];
    let mut plan = plan(&cases, &["a", "b"], 0);
    plan.design = design(&[3]);
    plan.service = Some(record::fixtures::service(Optimise::Throughput));
    let rounds = |budget| -> Vec<usize> {
        let (_, cases) = carry_out(&plan, |_, e, _| Ok(100 << e), |_, _| false, Some(budget));
        cases.iter().map(Vec::len).collect()
    };
    // Three rounds with two entries and a twin take nine seconds.
    assert_eq!(rounds(27.0), [3, 3, 3]);
    assert_eq!(rounds(19.0), [3, 3, 0]);
    assert_eq!(rounds(10.0), [0, 3, 0]);
    assert_eq!(rounds(7.0), [0, 2, 0], "what decides goes on as long as it can");
}

#[test]
fn the_described_service_is_decided_before_its_changes_are() {
    let mut plan = plan(&[record::DESCRIBED, "traffic/half-cpu"], &["a", "b"], 0);
    plan.design = design(&[3, 9]);
    plan.service = Some(record::fixtures::service(Optimise::Throughput));
    let undecided = |_, e: usize, r: u32| Ok(1_000 + [0, 40, 80][(e + r as usize) % 3]);
    // After three rounds of the one and two of the other 19 seconds are left, and the next look takes 18.
    let (_, cases) = carry_out(&plan, undecided, |_, _| false, Some(34.0));
    assert_eq!((cases[0].len(), cases[1].len()), (9, 2));
}

#[test]
fn points_of_a_map_are_visited_along_its_border_only_and_a_resumed_run_goes_on_there() {
    let request = crate::planning::map::tests::request("connections=1..10000", "cpu=1us..10ms");
    let (map, cases) = request.chart(workloads::Profile::Quick, 2).unwrap();
    let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
    let mut plan = plan(&ids, &["a", "b", "c", "d", "e"], 3);
    plan.service = Some(request.service);
    plan.map = Some(map);
    // The first is among the best with few connections, the second with many, and the others everywhere.
    let value = |case: usize, entry: usize, round: u32| {
        let few = ["=1,", "=3,", "=10,", "=30,"].iter().any(|count| ids[case].contains(count));
        Ok(if entry > 1 || few == (entry == 0) { 100 } else { 200 } + u64::from(round))
    };
    let (turns, measured) = carry_out(&plan, value, |_, _| false, None);
    let count = measured.iter().filter(|rounds| !rounds.is_empty()).count();
    assert!(count < ids.len() / 2, "{count} of {}", ids.len());
    let is_measured =
        |id: &str| !measured[ids.iter().position(|known| *known == id).unwrap()].is_empty();
    assert!(is_measured("traffic/connections=30,cpu=1us"));
    assert!(is_measured("traffic/connections=100,cpu=1us"));
    assert!(!is_measured("traffic/connections=3000,cpu=3us"));
    let measured_in = |id: &str| -> Vec<usize> {
        let case = ids.iter().position(|known| *known == id).unwrap();
        let mut entries: Vec<_> = visits(&measured[case]).into_keys().map(|(e, _)| e).collect();
        entries.dedup();
        entries
    };
    assert_eq!(measured_in("traffic/connections=1,cpu=1us"), [0, 1, 2, 3, 4]);
    assert_eq!(measured_in("traffic/connections=30,cpu=1us"), [0, 1, 2, 3]);
    let half = &turns[turns.len() / 2];
    let mut so_far = measured.clone();
    for turn in &turns[turns.len() / 2..] {
        so_far[turn.case].retain(|round| round.number != turn.round);
    }
    let next = Schedule::new(&plan, &so_far).next(None).unwrap();
    assert_eq!((next.case, next.round), (half.case, half.round));
}

#[test]
fn partial_entries_and_facts_are_visited_only_where_and_when_they_take_part() {
    let mut plan = plan(&["map", "deadline/later"], &["a", "b"], 3);
    plan.entries[1].only = Some(vec!["map".to_owned()]);
    plan.cases[1].first_round = true;
    let (_, cases) = carry_out(&plan, |_, _, _| Ok(100), |_, _| false, None);
    assert_eq!((cases[0].len(), cases[1].len()), (3, 1));
    assert_eq!(visits(&cases[1]).len(), 1, "no twin where nothing is judged");
}

#[test]
fn a_budget_goes_to_large_differences_first_and_is_kept() {
    let mut plan = plan(&["map", "join"], &["a", "b"], 0);
    plan.design = design(&[3, 9]);
    // Undecided after three rounds: by about 4 % in the first case, by about 2× in the second.
    let value = |c: usize, e: usize, r: u32| {
        let wave = [0, 40, 80][(e + r as usize) % 3];
        Ok(if c == 0 { 1_000 + wave / 10 } else { (1_000 + 1_000 * e as u64) + 25 * wave })
    };
    // Twelve visits and four twins for the first looks; then 6 rounds of 3 fit once.
    let (turns, cases) = carry_out(&plan, value, |_, _| false, Some(40.0));
    assert_eq!(cases[0].len(), 3, "{turns:?}");
    assert!(cases[1].len() > 3);
    let spent: usize = turns.iter().map(|next| next.cells.len()).sum();
    assert!(spent <= 40);
}
