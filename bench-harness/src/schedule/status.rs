//! What is known of one case: how far it is, what its next round takes, and what that is likely to decide.

use analysis::Round;
use analysis::contest;
use analysis::contest::Contest;
use analysis::map::refine::Standing;
use judge::{Judgement, Verdict};
use record::Plan;

/// An undecided difference of this size is settled before any smaller one.
const LARGE: f64 = 1.5;

/// What is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) entry: usize,
    /// Whether it is the second visit of that entry in the round.
    pub(crate) twin: bool,
}

/// What is known of one case.
#[derive(Debug, Clone, Default)]
pub(super) struct Status {
    /// Rounds begun.
    pub(super) attempts: u32,
    /// Whether one of them has ended, so that it is known which entries take part.
    pub(super) begun: bool,
    pub(super) admitted: usize,
    /// The turn of its last round.
    pub(super) last_turn: usize,
    /// Whether the first look is over.
    pub(super) looked: bool,
    pub(super) done: bool,
    /// Whether its looks come before those of all others.
    pub(super) decisive: bool,
    /// What the next round visits.
    pub(super) cells: Vec<Cell>,
    /// What a round with these cells takes, as far as is known.
    pub(super) seconds: f64,
    /// Rounds until the next look.
    pub(super) missing: usize,
    /// Ratios to the leader that are undecided, and the rounds that would decide them.
    pub(super) open: Vec<(f64, f64)>,
    /// Of a point of a map, how each entry of the plan stands since the last look.
    pub(super) standings: Option<Vec<Option<Standing>>>,
}

impl Status {
    pub(super) fn of(plan: &Plan, case: usize, rounds: &[Round]) -> Self {
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
        // The entries that are measured at a point of a map stay the same from its first round on.
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
    pub(super) fn cost(&self) -> f64 {
        self.seconds * self.missing as f64
    }

    /// Verdicts that a second is likely to bring; large differences count before all small ones.
    pub(super) fn worth(&self) -> f64 {
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
