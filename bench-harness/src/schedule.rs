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
use analysis::map::refine;
use record::Plan;

use crate::schedule::status::Status;

mod status;

pub(crate) use status::Cell;

/// A round to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) case: usize,
    pub(crate) round: u32,
    /// In the order in which they are visited.
    pub(crate) cells: Vec<Cell>,
}

/// What is known of all cases.
#[derive(Debug)]
pub(crate) struct Schedule<'a> {
    plan: &'a Plan,
    cases: Vec<Status>,
    /// Of a map, the cases that there is a reason to measure, each with the entries that are measured
    /// there: `None` for all.
    wanted: Option<HashMap<usize, Option<Vec<usize>>>>,
    /// Rounds carried out in all.
    turns: usize,
}

impl<'a> Schedule<'a> {
    /// The schedule of a plan of whose cases these rounds are known.
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

#[cfg(test)]
mod tests;
