//! Whether a server kept up with a schedule: in requests, and in what they compute.

use workloads::service::Work;

/// How far behind a server that can just do it a step may be at its end, as a share of the step: more means
/// that the backlog grows.
const MAX_BEHIND: f64 = 0.03;
/// Of a long step: a smaller share, and what a system needs for a few turns of what else runs, nanoseconds.
const MAX_BEHIND_LONG: f64 = 0.01;
const TURNS_NS: f64 = 10e6;
/// What a request computes beside what it asks for, roughly, in units.
const OVERHEAD_UNITS: u32 = 20;
/// Time of a unit where it is not known, nanoseconds.
const UNIT_NS: u64 = 1_000;
/// The part of requests, and of computing, that has to be done; the rest are stragglers.
const DONE: f64 = 0.99;

/// A schedule: when each request is due and what it asks for, to be done in `length_ns`.
pub(super) struct Schedule {
    pub(super) asked: Vec<(u64, Work)>,
    pub(super) length_ns: f64,
    /// Time of a unit of computing, nanoseconds; 0 if it is not known.
    pub(super) unit_ns: u64,
}

impl Schedule {
    /// Whether these answers, as index and latency in nanoseconds, keep up with the schedule.
    #[cfg(test)]
    pub(super) fn is_kept(&self, answers: &[(u64, u64)]) -> bool {
        self.excess(answers) <= 1.0
    }

    /// How many times as far behind as they may these answers are, as index and latency in nanoseconds: up to 1 they
    /// keep up with the schedule. Then 99 of 100 requests
    /// are answered, and 99 of 100 parts of the computing done, no later than by a server that can just do it, but
    /// for 3 % of the step, or for 1 % and 10 ms if that is less. Of few requests that compute for long the number does not tell: one of a thousand can be
    /// most of the work.
    pub(super) fn excess(&self, answers: &[(u64, u64)]) -> f64 {
        let by_number = self.behind(answers, |_| 1.0);
        let by_computing = self.behind(answers, units);
        let most = (MAX_BEHIND * self.length_ns).min(MAX_BEHIND_LONG * self.length_ns + TURNS_NS);
        by_number.max(by_computing) / most
    }

    /// How many nanoseconds later than by a server that can just do it 99 of 100 parts of the requests have been
    /// answered, each counted by `weight`. A server that is offered x % too much falls behind by x % of the time,
    /// however short the window and in whatever order it answers: one that serves all at once makes the first ones
    /// wait as long as the last, so that a growing backlog does not show in growing latencies. What queues up
    /// behind a server that can just do it is chance, and does not count.
    fn behind(&self, answers: &[(u64, u64)], weight: impl Fn(&Work) -> f64) -> f64 {
        let weigh = |at: u64, index: usize| (at, weight(&self.asked[index].1));
        let just = self.just_in_time();
        let all: f64 = self.asked.iter().map(|(_, work)| weight(work)).sum();
        let just = done_at(just.iter().map(|&(at, index)| weigh(at, index)).collect(), DONE * all);
        let answered = answers.iter().map(|&(index, latency)| {
            let index = index as usize;
            weigh(self.asked[index].0 + latency, index)
        });
        done_at(answered.collect(), DONE * all) - just
    }

    /// When a server answers each request that can just do them all in the time, one after the other as they have
    /// waited: the time and the index.
    fn just_in_time(&self) -> Vec<(u64, usize)> {
        let unit_ns = if self.unit_ns == 0 { UNIT_NS } else { self.unit_ns };
        let sum: f64 = self.asked.iter().map(|(_, work)| units(work)).sum();
        let ready = |(index, (due, work)): (usize, &(u64, Work))| {
            (due + work.wait.as_nanos() as u64, index)
        };
        let mut ready: Vec<_> = self.asked.iter().enumerate().map(ready).collect();
        ready.sort_unstable();
        let mut free = 0.0;
        ready
            .into_iter()
            .map(|(at, index)| {
                let work = &self.asked[index].1;
                free = f64::max(free, at as f64) + units(work) / sum * self.length_ns;
                // No request is computed by several at once.
                ((free as u64).max(at + u64::from(work.units) * unit_ns), index)
            })
            .collect()
    }
}

fn units(work: &Work) -> f64 {
    f64::from(work.units + OVERHEAD_UNITS)
}

/// When so much of what was done at these times, with these weights, has been done; infinity if less was.
fn done_at(mut done: Vec<(u64, f64)>, enough: f64) -> f64 {
    done.sort_unstable_by_key(|(at, _)| *at);
    let mut sum = 0.0;
    let reaches = |&(_, weight): &(u64, f64)| {
        sum += weight;
        // The same numbers in another order add up to a little less.
        sum >= enough * (1.0 - 1e-9)
    };
    done.iter().copied().find(reaches).map_or(f64::INFINITY, |(at, _)| at as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const STEP: u64 = 1_000_000;

    /// A hundred requests at these times.
    fn schedule(due: impl Fn(u64) -> u64) -> Schedule {
        let asked = (1..=100).map(|index| (due(index), Work::default())).collect();
        Schedule { asked, length_ns: STEP as f64, unit_ns: 0 }
    }

    fn evenly(index: u64) -> u64 {
        index * STEP / 100
    }

    #[test]
    fn who_can_just_do_it_answers_each_request_before_the_next_and_works_off_what_came_at_once() {
        let times = |schedule: &Schedule| -> Vec<u64> {
            schedule.just_in_time().into_iter().map(|(at, _)| at).collect()
        };
        let due: Vec<_> = (1..=100).map(|index| evenly(index) + STEP / 100).collect();
        assert_eq!(times(&schedule(evenly)), due);
        let at_once = times(&schedule(|_| 0));
        let right = |(at, index): (&u64, u64)| at.abs_diff(evenly(index)) <= 1;
        assert!(at_once.iter().zip(1..).all(right), "{at_once:?}");
    }

    #[test]
    fn what_waits_for_long_is_not_behind() {
        let work = Work { wait: Duration::from_millis(5), units: 0, ..Work::default() };
        let schedule = Schedule { asked: vec![(0, work)], length_ns: 1_000.0, unit_ns: 0 };
        assert_eq!(schedule.just_in_time(), [(5_001_000, 0)]);
    }

    #[test]
    fn a_tenth_too_much_is_a_tenth_behind_in_whatever_order_it_is_answered() {
        let schedule = schedule(evenly);
        let in_turn: Vec<_> = (0..100).map(|index| (index, (index + 1) * STEP / 1_000)).collect();
        // Who serves all at once has nothing done until the end, where everything is.
        let at_once: Vec<_> =
            (0..100).map(|index| (index, STEP * 11 / 10 - evenly(index + 1))).collect();
        for answers in [in_turn, at_once] {
            let share = schedule.behind(&answers, |_| 1.0) / STEP as f64;
            assert!((0.08..0.12).contains(&share), "{share}");
            assert!(!schedule.is_kept(&answers));
        }
    }

    #[test]
    fn one_straggler_of_a_hundred_does_not_count_and_nothing_answered_is_infinitely_behind() {
        let schedule = schedule(evenly);
        let mut answers: Vec<_> = (0..100).map(|index| (index, 0)).collect();
        answers[40].1 = 10 * STEP;
        assert!(schedule.is_kept(&answers));
        assert_eq!(schedule.behind(&[], |_| 1.0), f64::INFINITY);
    }

    #[test]
    fn one_request_of_a_thousand_that_holds_most_of_the_computing_is_not_a_straggler() {
        let second = 1_000_000_000;
        let work = |index: u64| Work {
            units: if index % 1_000 == 500 { 200_000 } else { 100 },
            ..Work::default()
        };
        let asked = (0..4_000).map(|index| (index * second / 4_000, work(index))).collect();
        let schedule = Schedule { asked, length_ns: second as f64, unit_ns: 1_000 };
        // The many are answered at once, the few after the window.
        let answers: Vec<_> = (0..4_000)
            .map(|index| (index, if work(index).units > 100 { second * 3 / 2 } else { 1_000 }))
            .collect();
        assert!(schedule.behind(&answers, |_| 1.0) < 0.0, "the number does not tell");
        assert!(!schedule.is_kept(&answers));
    }
}
