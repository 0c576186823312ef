//! Windows of HTTP load as the harness wants them: answers checked, the schedule kept or the window void,
//! and the search for the highest rate that is served in time.

use std::net::SocketAddr;
use std::time::Duration;

use workloads::request::Work;
use workloads::{AnswerDigest, Facts, HttpLoad, Pace, arrivals};

use super::http::{Conduct, Expect, HttpGenerator, Seen, Timetable};
use super::{histogram, steps, too_late};
use crate::protocol::{Failure, FailureKind, Window};

const PATIENCE: Duration = Duration::from_secs(10);
/// How long before a request is due the generator wakes up where the CPU matters more than the lag.
const SPIN: Duration = Duration::from_micros(5);
/// Where requests are rare, CPUs fall asleep between them, and waking up takes longer than some answers: the
/// generator is awake for this part of the time between two requests before the second is due.
const AWAKE: u32 = 25;
const LONGEST_SPIN: Duration = Duration::from_micros(500);
/// Factors between two rates of the ladder, upwards and downwards: whoever fails at the first rate may be far
/// from one that is served in time.
const UP: f64 = 1.2;
const DOWN: f64 = 2.0;
/// Bisection ends where the rate that fails is less than so many times the one that passes.
const RESOLUTION: f64 = 1.025;
/// Times its length that a step may last at low rates, so that every class of requests comes.
const LONGEST_STEP: f64 = 20.0;
/// How far behind a server that can just do it a step may be at its end, as a share of the step: more means
/// that the backlog grows.
const MAX_BEHIND: f64 = 0.03;
/// What a request computes beside what it asks for, roughly, in units.
const OVERHEAD_UNITS: u32 = 20;

/// A generator with its load.
pub(crate) struct Driver {
    generator: HttpGenerator,
    load: HttpLoad,
    kinds: Vec<Expect>,
    /// The right answers by kind.
    answers: Vec<u64>,
    /// The first kind of each class; there is one for each of its seeds.
    first_kind: Vec<usize>,
    /// How long a server may be silent.
    patience: Duration,
}

impl Driver {
    pub(crate) fn connect(target: SocketAddr, load: &HttpLoad) -> Result<Self, Failure> {
        let host = target.to_string();
        let (mut kinds, mut answers, mut first_kind) = (Vec::new(), Vec::new(), Vec::new());
        for class in 0..load.mix.len() {
            first_kind.push(kinds.len());
            for seed in 0..load.seeds(class) {
                let work = load.work(class, seed);
                let mut request = Vec::new();
                workloads::http::write_get(&mut request, &host, &work.target());
                let answer = work.compute();
                kinds.push(Expect { request, body: Some(work.body_with(answer)) });
                answers.push(answer);
            }
        }
        let trivial = Work::default();
        let mut request = Vec::new();
        workloads::http::write_get(&mut request, &host, &trivial.target());
        let mut generator = HttpGenerator::connect(target, load.connections, &request)?;
        // A trivial request on every connection, so that each has what the server starts for it.
        let kinds_of_first = [Expect { request, body: Some(trivial.body()) }];
        let timetable = Timetable::Closed(load.connections as u64);
        let first = generator.window(
            &Conduct { timetable, patience: PATIENCE, spin: SPIN },
            &kinds_of_first,
            |_| 0,
        )?;
        if first.answers.len() < load.connections {
            let (count, of) = (first.answers.len(), load.connections);
            let why = first
                .first_error
                .clone()
                .unwrap_or_else(|| format!("no answer within {PATIENCE:?}"));
            let reason = format!("{count} of {of} connections were served: {why}");
            return Err(Failure::new(kind_of_failure(&first), reason));
        }
        let waits = load.mix.iter().map(|share| share.work.wait);
        let patience = PATIENCE + waits.max().unwrap_or_default();
        Ok(Driver { generator, load: load.clone(), kinds, answers, first_kind, patience })
    }

    pub(crate) fn window(&mut self) -> Result<Window, Failure> {
        match self.load.pace {
            Pace::Closed { requests } => self.fixed(Timetable::Closed(requests)),
            Pace::Burst => self.fixed(Timetable::Closed(self.load.connections as u64)),
            Pace::Open { rate, requests } => {
                self.fixed(Timetable::Open(arrivals(self.load.seed, rate, requests)))
            }
            Pace::Capacity { target, step } => self.capacity(target, step),
        }
    }

    fn drive(&mut self, timetable: Timetable, spin: Duration) -> Result<Seen, Failure> {
        let load = &self.load;
        let kind = |index| {
            let (class, seed) = load.request(index);
            self.first_kind[class] + seed as usize
        };
        let conduct = Conduct { timetable, patience: self.patience, spin };
        let seen = self.generator.window(&conduct, &self.kinds, kind)?;
        if let Some(error) = &seen.first_error {
            let kind = kind_of_failure(&seen);
            let reason =
                format!("{} of {} requests failed; the first: {error}", seen.errors, seen.sent);
            return Err(Failure::new(kind, reason));
        }
        Ok(seen)
    }

    /// A window with a known number of requests.
    fn fixed(&mut self, timetable: Timetable) -> Result<Window, Failure> {
        let (open, spin) = match &timetable {
            Timetable::Open(due) => (true, spin_before(due)),
            _ => (false, SPIN),
        };
        let seen = self.drive(timetable, spin)?;
        if seen.unanswered > 0 {
            return Err(Failure::new(
                FailureKind::Timeout,
                format!(
                    "{} requests were not answered within {:?}",
                    seen.unanswered, self.patience
                ),
            ));
        }
        let mut digest = AnswerDigest::default();
        let mut by_class = vec![Vec::new(); self.load.mix.len()];
        for &(index, latency) in &seen.answers {
            let (class, seed) = self.load.request(index);
            digest.add(index, self.answers[self.first_kind[class] + seed as usize]);
            by_class[class].push(latency);
        }
        let counted = match self.load.counted {
            Some(class) => histogram(by_class[class].iter().copied()),
            None => histogram(by_class.iter().flatten().copied()),
        };
        let mut facts = Facts::new();
        if open {
            let lag = histogram(seen.lag_ns.iter().copied()).value_at_quantile(0.99);
            let p99 = counted.value_at_quantile(0.99);
            if too_late(lag, p99, self.load.slack) {
                return Err(Failure::new(
                    FailureKind::Void,
                    format!(
                        "the load generator sent {:.2} ms late at p99, which is more than a tenth of \
                         the latency of {:.2} ms and than {:.2} ms: the machine was too busy to measure",
                        lag as f64 / 1e6,
                        p99 as f64 / 1e6,
                        self.load.slack.as_secs_f64() * 1e3
                    ),
                ));
            }
            facts.insert("send_lag_p99_ns".to_owned(), lag);
            facts.insert("backlog".to_owned(), seen.backlog as u64);
        }
        if let Some(other) = by_class.get(1) {
            let p99 = histogram(other.iter().copied()).value_at_quantile(0.99);
            facts.insert("heavy_p99_ns".to_owned(), p99);
        }
        Ok(Window {
            wall_ns: seen.wall_ns,
            digest: digest.finish(),
            latency_ns: steps(&counted),
            generator_cpu_ns: seen.usage.map(|used| used.cpu_ns()),
            facts,
        })
    }

    /// The search: a closed loop says where to begin, a ladder finds a rate that passes and one that
    /// does not, bisection narrows them down.
    fn capacity(&mut self, target: Duration, step: Duration) -> Result<Window, Failure> {
        let probe = self.drive(Timetable::ClosedFor(step), SPIN)?;
        if probe.answers.is_empty() {
            let reason = format!("no request was answered within {step:?}");
            return Err(Failure::new(FailureKind::Timeout, reason));
        }
        let mut search = Search {
            target,
            step,
            least: self.load.requests_with_every_class().max(20),
            wall_ns: probe.wall_ns,
            requests: probe.sent,
            steps: 1,
            cpu_ns: 0,
            best: None,
        };
        let mut rate = 0.6 * probe.answers.len() as f64 / probe.wall_ns as f64 * 1e9;
        let (mut low, mut high) = (0.0, f64::INFINITY);
        // Upwards from a rate that passes, downwards from one that does not.
        while low == 0.0 || high.is_infinite() {
            let tried = rate;
            if search.sustains(self, rate)? {
                low = rate;
                rate *= UP;
            } else {
                high = rate;
                rate /= DOWN;
            }
            if search.steps > 40 || search.seconds(rate) > LONGEST_STEP * step.as_secs_f64() {
                let reason = format!(
                    "no rate keeps p99 below {target:?}; the last tried was {tried:.1} a second"
                );
                return Err(Failure::new(FailureKind::Timeout, reason));
            }
        }
        while high / low > RESOLUTION {
            let middle = (low * high).sqrt();
            if search.sustains(self, middle)? { low = middle } else { high = middle }
        }
        let mut digest = AnswerDigest::default();
        (0..).zip(&self.answers).for_each(|(index, answer)| digest.add(index, *answer));
        let (latency_ns, lag) = search.best.unwrap_or_default();
        Ok(Window {
            wall_ns: search.wall_ns,
            digest: digest.finish(),
            latency_ns,
            generator_cpu_ns: Some(search.cpu_ns),
            facts: Facts::from([
                ("capacity_per_second".to_owned(), low as u64),
                ("operations".to_owned(), search.requests),
                ("search_steps".to_owned(), search.steps),
                ("send_lag_p99_ns".to_owned(), lag),
            ]),
        })
    }
}

/// How long before each of these requests the generator is to be awake.
fn spin_before(due: &[u64]) -> Duration {
    let gap = due.last().map_or(0, |last| last / due.len() as u64);
    (Duration::from_nanos(gap) / AWAKE).clamp(SPIN, LONGEST_SPIN)
}

/// What kind of failure it is that requests of a window got no right answer.
fn kind_of_failure(seen: &Seen) -> FailureKind {
    if seen.wrong > 0 { FailureKind::WrongAnswer } else { FailureKind::Crashed }
}

/// The state of a search for the capacity.
struct Search {
    target: Duration,
    step: Duration,
    /// Requests of a step, at least.
    least: u64,
    wall_ns: u64,
    requests: u64,
    steps: u64,
    cpu_ns: u64,
    /// Latencies and send lag at the highest rate that passed.
    best: Option<(Vec<(u64, u64)>, u64)>,
}

impl Search {
    /// Requests of a step at that rate.
    fn requests(&self, rate: f64) -> u64 {
        ((rate * self.step.as_secs_f64()) as u64).max(self.least)
    }

    /// How long a step lasts at that rate.
    fn seconds(&self, rate: f64) -> f64 {
        self.requests(rate) as f64 / rate
    }

    /// Whether a rate is served in time, the second time if not the first: a moment in which the machine is
    /// somewhere else fails a step, and no moment passes one.
    fn sustains(&mut self, driver: &mut Driver, rate: f64) -> Result<bool, Failure> {
        Ok(self.passes(driver, rate)? || self.passes(driver, rate)?)
    }

    /// Whether a rate is served in time once: all answered, p99 below the target, no growing backlog.
    fn passes(&mut self, driver: &mut Driver, rate: f64) -> Result<bool, Failure> {
        let requests = self.requests(rate);
        let mut due = arrivals(driver.load.seed + self.steps, rate, requests);
        stretch(&mut due, requests as f64 / rate * 1e9);
        let seen = driver.drive(Timetable::Open(due.clone()), SPIN)?;
        self.steps += 1;
        self.wall_ns += seen.wall_ns;
        self.requests += seen.sent;
        self.cpu_ns += seen.usage.map_or(0, |used| used.cpu_ns());
        let counts = |index| {
            let class = driver.load.request(index).0;
            driver.load.counted.is_none_or(|counted| counted == class)
        };
        let counted = seen.answers.iter().filter(|(index, _)| counts(*index));
        let latencies = histogram(counted.map(|&(_, latency)| latency));
        let in_time = latencies.value_at_quantile(0.99) <= self.target.as_nanos() as u64;
        let work = |index| driver.load.mix[driver.load.request(index).0].work;
        let asked: Vec<_> = due.iter().copied().zip((0..).map(work)).collect();
        let length_ns = requests as f64 / rate * 1e9;
        let behind = behind(&just_in_time(&asked, length_ns), &due, &seen.answers);
        let passes = seen.unanswered == 0 && in_time && behind <= MAX_BEHIND * length_ns;
        if passes {
            let lag = histogram(seen.lag_ns.iter().copied()).value_at_quantile(0.99);
            self.best = Some((steps(&latencies), lag));
        }
        Ok(passes)
    }
}

/// Makes a schedule end at exactly `length_ns`. Some hundred arrivals at random are offered at a rate that
/// is several per cent off, and a search would take the luckiest step for the capacity.
fn stretch(due: &mut [u64], length_ns: f64) {
    let factor = length_ns / *due.last().expect("a step has requests") as f64;
    due.iter_mut().for_each(|at| *at = (*at as f64 * factor) as u64);
}

/// When each of these requests, with the times at which they are due, is answered by a server that can just
/// do them all in the time, one after the other as they have waited; in ascending order.
fn just_in_time(asked: &[(u64, Work)], length_ns: f64) -> Vec<u64> {
    let units = |work: &Work| f64::from(work.units + OVERHEAD_UNITS);
    let sum: f64 = asked.iter().map(|(_, work)| units(work)).sum();
    let mut ready: Vec<_> =
        asked.iter().map(|(due, work)| (due + work.wait.as_nanos() as u64, work)).collect();
    ready.sort_unstable_by_key(|(at, _)| *at);
    let mut free = 0.0;
    let mut answered: Vec<_> = ready
        .into_iter()
        .map(|(at, work)| {
            free = f64::max(free, at as f64) + units(work) / sum * length_ns;
            // A unit takes about a microsecond, and no request is computed by several at once.
            (free as u64).max(at + u64::from(work.units) * 1_000)
        })
        .collect();
    answered.sort_unstable();
    answered
}

/// How many nanoseconds later than `just_in_time` 99 of 100 requests have been answered. A server that is
/// offered x % too much falls behind by x % of the time, however short the window and in whatever order it
/// answers: one that serves all at once makes the first ones wait as long as the last, so that a growing
/// backlog does not show in growing latencies. What queues up behind a server that can just do it is
/// chance, and counts for nobody.
fn behind(just_in_time: &[u64], due: &[u64], answers: &[(u64, u64)]) -> f64 {
    let mut answered: Vec<_> =
        answers.iter().map(|&(index, latency)| due[index as usize] + latency).collect();
    answered.sort_unstable();
    let Some(last) = (answered.len() * 99).div_ceil(100).checked_sub(1) else {
        return f64::INFINITY;
    };
    answered[last] as f64 - just_in_time[last] as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: u64 = 1_000_000;

    /// A hundred requests, evenly over a step.
    fn due() -> Vec<u64> {
        (1..=100).map(|index| index * STEP / 100).collect()
    }

    #[test]
    fn the_generator_is_awake_for_a_small_part_of_the_time_and_longer_where_requests_are_rare() {
        let every = |gap: Duration| spin_before(&[1, 2, 3].map(|n| n * gap.as_nanos() as u64));
        assert_eq!(every(Duration::from_micros(20)), SPIN);
        assert_eq!(every(Duration::from_millis(1)), Duration::from_micros(40));
        assert_eq!(every(Duration::from_millis(10)), Duration::from_micros(400));
        assert_eq!(every(Duration::from_secs(1)), LONGEST_SPIN);
        assert_eq!(spin_before(&[]), SPIN);
    }

    #[test]
    fn who_can_just_do_it_answers_each_request_before_the_next_and_works_off_what_came_at_once() {
        let asked = |due: &[u64]| due.iter().map(|due| (*due, Work::default())).collect::<Vec<_>>();
        let evenly: Vec<_> = due().iter().map(|due| due + STEP / 100).collect();
        assert_eq!(just_in_time(&asked(&due()), STEP as f64), evenly);
        let at_once = [0; 100];
        let one_by_one: Vec<_> = (1..=100).map(|index| index * STEP / 100).collect();
        let answered = just_in_time(&asked(&at_once), STEP as f64);
        assert!(answered.iter().zip(&one_by_one).all(|(a, b)| a.abs_diff(*b) <= 1), "{answered:?}");
    }

    #[test]
    fn what_waits_for_long_is_not_behind() {
        let work = Work { wait: Duration::from_millis(5), units: 0, ..Work::default() };
        assert_eq!(just_in_time(&[(0, work)], 1_000.0), [5_001_000]);
    }

    #[test]
    fn a_tenth_too_much_is_a_tenth_behind_in_whatever_order_it_is_answered() {
        let due = due();
        let in_turn: Vec<_> = (0..100).map(|index| (index, (index + 1) * STEP / 1_000)).collect();
        // Who serves all at once has nothing done until the end, where everything is.
        let at_once: Vec<_> =
            (0..100).map(|index| (index, STEP * 11 / 10 - due[index as usize])).collect();
        for answers in [in_turn, at_once] {
            let share = behind(&due, &due, &answers) / STEP as f64;
            assert!((0.09..0.12).contains(&share), "{share}");
        }
    }

    #[test]
    fn one_straggler_of_a_hundred_does_not_count_and_nothing_answered_is_infinitely_behind() {
        let due = due();
        let mut answers: Vec<_> = (0..100).map(|index| (index, 0)).collect();
        answers[40].1 = 10 * STEP;
        assert!(behind(&due, &due, &answers) <= (STEP / 100) as f64);
        assert_eq!(behind(&due, &due, &[]), f64::INFINITY);
    }
}
