//! Which round comes next: a function of the plan and of what has been measured, so that a run that was
//! interrupted goes on as if it had not been.
//!
//! First the cases take turns until each has the rounds of its first look: rounds of one case lie far apart
//! in time. Then only undecided cases go on, with the contestants that are still in doubt, up to the next
//! look. Where time is limited it goes to the cases in which it decides most, large differences first, and a
//! case whose first look cannot be reached gets no more rounds.

use std::collections::HashMap;
use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use analysis::Round;
use analysis::contest;
use analysis::contest::Contest;
use analysis::map::refine::{self, Standing};
use judge::{Judgement, Verdict};
use record::Plan;

/// An undecided difference of this size is settled before any smaller one.
const LARGE: f64 = 1.5;

/// A round to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) case: usize,
    pub(crate) round: u32,
    /// In the order in which they are visited.
    pub(crate) cells: Vec<Cell>,
}

/// Who is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) entry: usize,
    /// Whether it is the second visit of that entry in the round.
    pub(crate) twin: bool,
}

/// What is known of all cases.
#[derive(Debug)]
pub(crate) struct Schedule<'a> {
    plan: &'a Plan,
    cases: Vec<Status>,
    /// Of a map, the cases that there is a reason to measure, each with who is measured there: `None` for
    /// everybody.
    wanted: Option<HashMap<usize, Option<Vec<usize>>>>,
    /// Rounds carried out in all.
    turns: usize,
}

/// What is known of one case.
#[derive(Debug, Clone, Default)]
struct Status {
    /// Rounds begun.
    attempts: u32,
    /// Whether one of them has ended, so that it is known who takes part.
    begun: bool,
    admitted: usize,
    /// The turn of its last round.
    last_turn: usize,
    /// Whether the first look is over.
    looked: bool,
    done: bool,
    /// Whether its looks come before those of all others.
    decisive: bool,
    /// Who takes part in the next round.
    cells: Vec<Cell>,
    /// What a round with these cells takes, as far as is known.
    seconds: f64,
    /// Rounds until the next look.
    missing: usize,
    /// Ratios to the leader that are undecided, and the rounds that would decide them.
    open: Vec<(f64, f64)>,
    /// Of a point of a map, how each entry of the plan stands since the last look.
    standings: Option<Vec<Option<Standing>>>,
}

impl<'a> Schedule<'a> {
    pub(crate) fn new(plan: &'a Plan, cases: &[Vec<Round>]) -> Self {
        let status = cases.iter().enumerate().map(|(case, rounds)| Status::of(plan, case, rounds));
        let turns = cases.iter().map(Vec::len).sum();
        let mut schedule = Schedule { plan, cases: status.collect(), wanted: None, turns };
        schedule.want();
        schedule
    }

    /// Finds out which points of a map to measure, from what is known of it.
    fn want(&mut self) {
        let Some(map) = &self.plan.map else { return };
        let index = |id: &str| self.plan.cases.iter().position(|case| case.id == id);
        let wanted = refine::wanted(map, |id| self.cases[index(id)?].standings.clone());
        let by_index = wanted.into_iter().filter_map(|(id, entries)| Some((index(&id)?, entries)));
        self.wanted = Some(by_index.collect());
    }

    /// Cases that need another round.
    fn due(&self) -> impl Iterator<Item = usize> + '_ {
        let wanted =
            |case: usize| self.wanted.as_ref().is_none_or(|wanted| wanted.contains_key(&case));
        (0..self.cases.len()).filter(move |&case| !self.cases[case].done && wanted(case))
    }

    /// Takes note of a case's new round.
    pub(crate) fn update(&mut self, case: usize, rounds: &[Round]) {
        self.turns += 1;
        self.cases[case] = Status { last_turn: self.turns, ..Status::of(self.plan, case, rounds) };
        self.want();
    }

    /// The next round, if one is due and fits in the time that is `left`.
    pub(crate) fn next(&self, left: Option<Duration>) -> Option<Next> {
        let left = left.map_or(f64::INFINITY, |left| left.as_secs_f64());
        if left <= 0.0 {
            return None;
        }
        let (looked, first): (Vec<_>, Vec<_>) =
            self.due().partition(|&case| self.cases[case].looked && !self.cases[case].decisive);
        let first = self.within_reach(first, left).into_iter();
        let case = first.min_by_key(|&case| self.cases[case].attempts).or_else(|| {
            let chosen = self.worthwhile(looked, left);
            chosen.into_iter().min_by_key(|&case| self.cases[case].last_turn)
        })?;
        let status = &self.cases[case];
        let mut cells = status.cells.clone();
        if !status.begun
            && let Some(Some(entries)) = self.wanted.as_ref().and_then(|wanted| wanted.get(&case))
        {
            cells.retain(|cell| entries.contains(&cell.entry));
        }
        let seed = self.plan.seed.wrapping_add(((case as u64) << 32) | u64::from(status.attempts));
        cells.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        Some(Next { case, round: status.attempts, cells })
    }

    /// The twin's visit at the end of a case's first round, which decides which entry is repeated.
    pub(crate) fn first_twin(&self, case: usize, rounds: &[Round]) -> Option<Cell> {
        let planned = &self.plan.cases[case];
        let [_] = rounds else { return None };
        let judged = contest::is_judged(planned.metric) && !planned.first_round;
        let entry = contest::doubled(rounds, &self.plan.entries).filter(|_| judged)?;
        Some(Cell { entry, twin: true })
    }

    /// Rounds that are due at least, for the time that they take.
    pub(crate) fn seconds_due(&self) -> f64 {
        let due = self.due().map(|case| &self.cases[case]);
        due.map(|status| status.seconds * status.missing as f64).sum()
    }

    /// The cases whose next look can be reached in the time that is left: fewer rounds decide nothing. The
    /// decisive one comes first, whichever look is its next, and goes on to the first as long as a round fits.
    fn within_reach(&self, mut cases: Vec<usize>, mut left: f64) -> Vec<usize> {
        // What was never measured is taken to be as dear as what decides, of which it is a change.
        let guess: f64 = self.cases.iter().filter(|c| c.decisive).map(|c| c.seconds).sum();
        cases.sort_by_key(|&case| !self.cases[case].decisive);
        cases.retain(|&case| {
            let status = &self.cases[case];
            let seconds = if status.begun { status.seconds } else { guess };
            let cost = seconds * status.missing as f64;
            let goes_on = status.decisive && !status.looked;
            let fits = cost <= left || goes_on && seconds <= left;
            left -= if fits { cost } else { 0.0 };
            fits
        });
        cases
    }

    /// The cases whose next look can be reached in the time that is left, those first in which it decides
    /// most.
    fn worthwhile(&self, mut cases: Vec<usize>, mut left: f64) -> Vec<usize> {
        cases.sort_by(|&a, &b| self.cases[b].worth().total_cmp(&self.cases[a].worth()));
        cases.retain(|&case| {
            let cost = self.cases[case].cost();
            let fits = cost <= left;
            left -= if fits { cost } else { 0.0 };
            fits
        });
        cases
    }
}

impl Status {
    fn of(plan: &Plan, case: usize, rounds: &[Round]) -> Self {
        let planned = &plan.cases[case];
        let design = &plan.design;
        let admitted = rounds.iter().filter(|round| round.is_admitted()).count();
        let judged = contest::is_judged(planned.metric) && !planned.first_round;
        let first_look = if judged { design.first_look() } else { 1 };
        let looked = admitted >= first_look;
        let mut status = Status {
            attempts: attempts(rounds),
            admitted,
            looked,
            begun: rounds.iter().any(|round| round.end.is_some()),
            decisive: plan.is_decisive(planned),
            ..Status::default()
        };
        let gives_up = |entry: usize| contest::gave_up(rounds, entry, false).is_some();
        // Who is measured at a point of a map stays the same from its first round on.
        let first_ended = rounds.iter().find(|round| round.end.is_some());
        let first_ended = first_ended.filter(|_| plan.map.is_some());
        let is_chosen =
            |entry: usize| first_ended.is_none_or(|round| round.visit(entry, false).is_some());
        let has = |entry: &usize| {
            plan.entries[*entry].takes_part_in(planned) && !gives_up(*entry) && is_chosen(*entry)
        };
        let mut entries: Vec<_> = (0..plan.entries.len()).filter(has).collect();
        let mut twin = contest::doubled(rounds, &plan.entries).filter(|&entry| {
            judged && entries.contains(&entry) && contest::gave_up(rounds, entry, true).is_none()
        });
        status.missing = first_look.saturating_sub(admitted);
        if looked {
            if !judged {
                status.done = true;
                return status;
            }
            let contest = Contest::of(rounds, &plan.entries);
            let judgement = Judgement::so_far(&contest.series(), design);
            let standing = |entry: usize| {
                let judged = contest.observed.iter().position(|o| o.entry == entry);
                match gives_up(entry) {
                    true => Some(Standing::Out),
                    false => judged.map(|i| Standing::of_verdict(judgement.verdict(i))),
                }
            };
            let standings = || (0..plan.entries.len()).map(standing).collect();
            status.standings = plan.map.as_ref().map(|_| standings());
            let blocks = admitted / design.block;
            let next = design.looks.iter().find(|&&look| look > blocks);
            status.done = judgement.settled() || next.is_none() || judgement.active().is_empty();
            status.missing = next.map_or(0, |next| next * design.block - admitted);
            entries = judgement.active().iter().map(|&i| contest.observed[i].entry).collect();
            twin = twin.filter(|twin| entries.contains(twin));
            status.open = open(&judgement, design.block);
        }
        status.done |= entries.is_empty();
        let cell = |twin| move |entry| Cell { entry, twin };
        status.cells = entries.into_iter().map(cell(false)).collect();
        status.cells.extend(twin.into_iter().map(cell(true)));
        status.seconds = seconds(rounds, &status.cells);
        status
    }

    /// Seconds until the next look.
    fn cost(&self) -> f64 {
        self.seconds * self.missing as f64
    }

    /// Verdicts that a second is likely to bring; large differences count before all small ones.
    fn worth(&self) -> f64 {
        let at_next_look = (self.admitted + self.missing) as f64;
        let weight = |ratio: f64| if ratio >= LARGE { 1_000.0 } else { 1.0 };
        let chances =
            self.open.iter().map(|&(ratio, needs)| weight(ratio) * (at_next_look / needs).min(1.0));
        chances.sum::<f64>() / self.cost().max(1e-3)
    }
}

/// The number that the next round gets.
fn attempts(rounds: &[Round]) -> u32 {
    rounds.iter().map(|round| round.number + 1).max().unwrap_or(0)
}

/// What is undecided: ratios to the leader with the rounds that would decide them.
fn open(judgement: &Judgement, block: usize) -> Vec<(f64, f64)> {
    let Some(leader) = judgement.champion() else { return Vec::new() };
    let undecided = judgement.active().iter().copied();
    undecided
        .filter(|&entry| judgement.verdict(entry) == Some(Verdict::Undecided) && entry != leader)
        .filter_map(|entry| {
            let ratio = judgement.ratio(entry, leader)?.estimate;
            let blocks = judgement.needed_blocks(entry).unwrap_or(f64::INFINITY);
            Some((ratio, (blocks * block as f64).max(1.0)))
        })
        .collect()
}

/// What these cells took together, by the mean of each one's visits.
fn seconds(rounds: &[Round], cells: &[Cell]) -> f64 {
    let of_entry = |entry: usize| {
        let visits = rounds.iter().flat_map(|round| &round.visits).filter(|v| v.entry == entry);
        let (sum, count) = visits.fold((0, 0_u64), |(sum, n), v| (sum + v.visit_ns, n + 1));
        sum as f64 / count.max(1) as f64 / 1e9
    };
    cells.iter().map(|cell| of_entry(cell.entry)).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::How;
    use protocol::{Failure, FailureKind};
    use workloads::Metric;

    use super::*;
    use analysis::Process;
    use analysis::Visited;

    use analysis::fixtures::process;
    use judge::Design;
    use record::fixtures::plan;
    use record::journal::RoundEnd;
    use record::noise::Noise;
    use record::service::Optimise;

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
            round.end =
                Some(RoundEnd { round: next.round, case, noise: Noise::default(), rejected });
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
    fn who_is_clearly_slower_leaves_and_a_settled_case_ends() {
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
    fn nobody_leaves_between_two_looks() {
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
        let who = |id: &str| -> Vec<usize> {
            let case = ids.iter().position(|known| *known == id).unwrap();
            let mut entries: Vec<_> = visits(&measured[case]).into_keys().map(|(e, _)| e).collect();
            entries.dedup();
            entries
        };
        assert_eq!(who("traffic/connections=1,cpu=1us"), [0, 1, 2, 3, 4]);
        assert_eq!(who("traffic/connections=30,cpu=1us"), [0, 1, 2, 3]);
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
}
