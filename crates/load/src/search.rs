//! The search for the highest rate that is served in time: which rates are tried, and for how long.

use std::time::Duration;

use workloads::{HttpLoad, closest_to_shares};

use super::nanoseconds;

/// Factors between two rates of the ladder, upwards and downwards: what fails at the first rate may be far
/// from one that is served in time.
const UP: f64 = 1.15;
const DOWN: f64 = 2.0;
/// Bisection ends where the rate that fails is less than so many times the one that passes.
const RESOLUTION: f64 = 1.025;
/// The same where steps are more than so many times as long as usual, because a class is rare at so low a rate: a
/// server that falls so far behind the others need not be known so well, and the search would take minutes.
const COARSE: f64 = 1.1;
const LONG_STEPS: f64 = 6.0;
/// Requests of the rarest class in a step of a search, at least: what a rare class does to the others has to show,
/// and to have piled up.
pub const OF_THE_RAREST: u64 = 3;
/// A step is so many times as long as the longest computing, at least: the last request that computes is done by one
/// CPU while others are idle, and that has to be little beside the step.
const LONGEST_COMPUTING: u32 = 10;
/// Requests of a step, at least.
const LEAST: u64 = 20;
/// What bisection finds is confirmed by steps so many times as long, or as long as [`CONFIRMATION`] if that is less:
/// queues build up in them that a short step does not see, and the machine is as unsteady as it is. After a rate that
/// they do not confirm comes one that is so many times as high.
const CONFIRMING: u32 = 8;
/// The longest step that confirms what a search found, where its other steps are not as long themselves.
pub const CONFIRMATION: Duration = Duration::from_secs(5);
const FURTHER_DOWN: f64 = 0.975;
/// Steps of a search, at most.
const MOST_STEPS: u64 = 40;
/// Times its length that a step may last at low rates, or so long, so that every class of requests comes.
const LONGEST_STEP: u32 = 20;
const LONGEST: Duration = Duration::from_secs(60);

/// The length of a step of a search: as long as asked for, or ten times the longest computing of a request if that is
/// longer.
pub fn step_length(asked: Duration, longest_computing: Duration) -> Duration {
    asked.max(longest_computing * LONGEST_COMPUTING)
}

/// How long steps are and how many requests they hold.
pub(super) struct Steps {
    length: Duration,
    longest: Duration,
    least: u64,
    per_mille: Vec<u32>,
}

impl Steps {
    /// Those of a load, each of the given length or longer.
    pub(super) fn new(load: &HttpLoad, length: Duration) -> Self {
        let per_mille = load.per_mille();
        let all: u32 = per_mille.iter().sum();
        let rarest = per_mille.iter().copied().filter(|share| *share > 0).min().unwrap_or(all);
        let computing = (0..load.mix.len()).map(|class| load.cpu_ns(class)).max().unwrap_or(0);
        let length = step_length(length, Duration::from_nanos(computing));
        Steps {
            length,
            longest: LONGEST.max(length * LONGEST_STEP),
            least: (OF_THE_RAREST * u64::from(all.div_ceil(rarest.max(1)))).max(LEAST),
            per_mille,
        }
    }

    /// How long a closed loop lasts that says where to begin.
    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Requests of a step at that rate: as long as a step lasts, several of each class, and so many that each class
    /// has its share.
    pub(super) fn requests(&self, rate: f64) -> u64 {
        let requests = (rate * self.length.as_secs_f64()) as u64;
        closest_to_shares(&self.per_mille, requests.max(self.least))
    }

    /// How long a step lasts at that rate, nanoseconds.
    pub(super) fn length_ns(&self, rate: f64) -> f64 {
        self.requests(rate) as f64 / rate * 1e9
    }

    /// Those that confirm a rate; `None` where these are long enough.
    fn confirming(&self) -> Option<Self> {
        let length = (self.length * CONFIRMING).min(CONFIRMATION);
        (length > self.length).then(|| Steps { length, per_mille: self.per_mille.clone(), ..*self })
    }

    /// How near to each other bisection brings a rate that fails and one that passes.
    fn resolution(&self, rate: f64) -> f64 {
        let is_long = self.length_ns(rate) > LONG_STEPS * nanoseconds(self.length) as f64;
        if is_long { COARSE } else { RESOLUTION }
    }

    fn is_too_long(&self, rate: f64) -> bool {
        self.length_ns(rate) > nanoseconds(self.longest) as f64
    }
}

/// Where a search ended without a rate: the last that was tried, requests a second.
#[derive(Debug, PartialEq)]
pub(super) struct NoRate(pub(super) f64);

/// The highest rate that `sustains` takes, requests a second: a ladder finds one that passes and one that does not,
/// bisection narrows them down, and longer steps confirm what it found or go further down. No rate above `ceiling` is
/// tried.
///
/// # Errors
/// What `sustains` returns.
pub(super) fn highest<E>(
    steps: &Steps,
    start: f64,
    ceiling: f64,
    mut sustains: impl FnMut(&Steps, f64) -> Result<bool, E>,
) -> Result<Result<f64, NoRate>, E> {
    let found = bisected(steps, start, ceiling, |rate| sustains(steps, rate))?;
    let (&Ok(mut rate), Some(confirming)) = (&found, steps.confirming()) else { return Ok(found) };
    for _ in 0..MOST_STEPS {
        if sustains(&confirming, rate)? {
            return Ok(Ok(rate));
        }
        rate *= FURTHER_DOWN;
    }
    Ok(Err(NoRate(rate)))
}

/// What bisection finds with steps of one length.
fn bisected<E>(
    steps: &Steps,
    start: f64,
    ceiling: f64,
    mut sustains: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Result<f64, NoRate>, E> {
    let mut rate = start.min(ceiling);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut tried = 0;
    // Upwards from a rate that passes, downwards from one that does not.
    while low == 0.0 || high.is_infinite() {
        tried += 1;
        let last = rate;
        if sustains(rate)? {
            low = rate;
            if rate >= ceiling {
                return Ok(Ok(low));
            }
            rate = (rate * UP).min(ceiling);
        } else {
            high = rate;
            rate /= DOWN;
        }
        if tried > MOST_STEPS || (low == 0.0 && steps.is_too_long(rate)) {
            return Ok(Err(NoRate(last)));
        }
    }
    while high / low > steps.resolution(low) {
        let middle = (low * high).sqrt();
        if sustains(middle)? { low = middle } else { high = middle }
    }
    Ok(Ok(low))
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use workloads::service::Work;
    use workloads::{Pace, Share, arrivals};

    use super::*;
    use crate::driver::stretch;
    use crate::keeping_up::Schedule;
    use crate::physics::highest_rate_on;

    const CPUS: usize = 2;
    const UNIT_NS: u64 = 1_000;
    /// What a request costs the simulated server beside its computing, nanoseconds.
    const OVERHEAD_NS: u64 = 20_000;

    fn load(mix: &[(u32, u32, u64)]) -> HttpLoad {
        let class = |&(per_mille, units, wait_ms): &(u32, u32, u64)| Share {
            per_mille,
            work: Work { units, wait: Duration::from_millis(wait_ms), ..Work::default() },
        };
        let mix = mix.iter().map(class).collect();
        HttpLoad { unit_ns: UNIT_NS, ..HttpLoad::new(10_000, Pace::Burst, mix) }
    }

    /// How a simulated server shares out its CPUs.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Turns {
        /// One request after the other on each.
        InTurn,
        /// All at once, each as much.
        Shared,
    }

    /// Latencies of a server with two CPUs, by index.
    fn serve(turns: Turns, asked: &[(u64, Work)]) -> Vec<(u64, u64)> {
        let mut ready: Vec<_> = (0..)
            .zip(asked)
            .map(|(index, (due, work))| {
                let at = due + work.wait.as_nanos() as u64;
                (at, u64::from(work.units) * UNIT_NS + OVERHEAD_NS, index)
            })
            .collect();
        ready.sort_unstable();
        let latency = |index: u64, at: u64| (index, at - asked[index as usize].0);
        match turns {
            Turns::InTurn => {
                let mut free = [0_u64; CPUS];
                let in_turn = |(at, size, index): (u64, u64, u64)| {
                    let cpu = free.iter_mut().min().expect("there are CPUs");
                    *cpu = at.max(*cpu) + size;
                    latency(index, *cpu)
                };
                ready.into_iter().map(in_turn).collect()
            }
            Turns::Shared => {
                // Each of n requests gets min(1, CPUs/n) of a CPU; `done` is what each has got since the start.
                let mut under_way: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
                let (mut now, mut done) = (0.0, 0.0);
                let mut answers = Vec::new();
                let mut coming = ready.into_iter().peekable();
                loop {
                    let speed = (CPUS as f64 / under_way.len().max(1) as f64).min(1.0);
                    let ends = under_way
                        .peek()
                        .map(|Reverse((goal, _))| now + (*goal as f64 - done).max(0.0) / speed);
                    let comes = coming.peek().map(|(at, ..)| *at as f64);
                    match (ends, comes) {
                        (None, None) => return answers,
                        (Some(ends), comes) if comes.is_none_or(|comes| ends <= comes) => {
                            done += (ends - now) * speed;
                            now = ends;
                            let Reverse((_, index)) = under_way.pop().expect("one ends");
                            answers.push(latency(index, now as u64 + 1));
                        }
                        (_, Some(comes)) => {
                            if !under_way.is_empty() {
                                done += (comes - now) * speed;
                            }
                            now = comes;
                            let (_, size, index) = coming.next().expect("one comes");
                            under_way.push(Reverse((done as u64 + size, index)));
                        }
                        (Some(_), None) => unreachable!("what ends before nothing ends"),
                    }
                }
            }
        }
    }

    /// The capacity that a search finds of that server, requests a second.
    fn capacity(turns: Turns, load: &HttpLoad, steps: &Steps, mut turn: u64) -> f64 {
        let mut passes = |steps: &Steps, rate: f64| {
            turn += 1;
            let (requests, length_ns) = (steps.requests(rate), steps.length_ns(rate));
            let mut due = arrivals(turn, rate, requests);
            stretch(&mut due, length_ns);
            let sequence = load.sequence(requests, turn);
            let work = |index| load.mix[sequence.request(index).0].work;
            let asked: Vec<_> = due.into_iter().zip((0..).map(work)).collect();
            let answers = serve(turns, &asked);
            Schedule { asked, length_ns, unit_ns: UNIT_NS }.is_kept(&answers)
        };
        let sustains =
            |steps: &Steps, rate| Ok::<_, ()>(passes(steps, rate) || passes(steps, rate));
        let ceiling = highest_rate_on(CPUS as f64, load);
        highest(steps, 0.5 * ceiling, ceiling, sustains).unwrap().unwrap()
    }

    /// What the server can do, requests a second.
    fn right(load: &HttpLoad) -> f64 {
        CPUS as f64 * 1e9 / load.mean(|class| (load.cpu_ns(class) + OVERHEAD_NS) as f64)
    }

    #[test]
    fn steps_twice_as_long_find_the_same_capacity_also_with_rare_heavy_classes() {
        for mix in [
            &[(1_000, 1_000, 10)][..],
            &[(999, 120, 0), (1, 200_000, 0)],
            &[(990, 100, 5), (10, 20_000, 0)],
            &[(1_000, 100_000, 50)],
        ] {
            let load = load(mix);
            for turns in [Turns::InTurn, Turns::Shared] {
                let steps = Steps::new(&load, Duration::from_millis(500));
                let twice = Steps {
                    length: 2 * steps.length,
                    least: 2 * steps.least,
                    per_mille: steps.per_mille.clone(),
                    ..steps
                };
                let right = right(&load);
                for seed in [0, 1_000] {
                    let [once, twice] = [&steps, &twice].map(|s| capacity(turns, &load, s, seed));
                    let found = format!("{turns:?} {mix:?}: {once:.1}, {twice:.1} of {right:.1}");
                    assert!((once / twice - 1.0).abs() < 0.05, "{found}");
                    assert!((once / right - 1.0).abs() < 0.06, "{found}");
                }
            }
        }
    }

    #[test]
    fn no_capacity_is_beyond_the_machine_even_if_every_rate_seems_to_be_served() {
        // One of a thousand computes for 200 ms: 320 µs a request.
        let load = load(&[(999, 120, 0), (1, 200_000, 0)]);
        let steps = Steps::new(&load, Duration::from_millis(100));
        let ceiling = highest_rate_on(CPUS as f64, &load);
        let found = highest(&steps, 4_464.0, ceiling, |_, _| Ok::<_, ()>(true)).unwrap().unwrap();
        let cpus = found * load.mean(|class| load.cpu_ns(class) as f64) / 1e9;
        assert!(cpus <= 2.0 && cpus > 1.99, "{found} a second need {cpus} CPUs");
    }

    #[test]
    fn a_step_holds_every_class_several_times_and_lasts_many_times_its_longest_computing() {
        let load = load(&[(999, 120, 0), (1, 200_000, 0)]);
        let steps = Steps::new(&load, Duration::from_millis(100));
        for rate in [50.0, 300.0, 6_000.0] {
            let requests = steps.requests(rate);
            let sequence = load.sequence(requests, 1);
            let rare = (0..requests).filter(|&index| sequence.request(index).0 == 1).count();
            assert!(rare as u64 >= 3 && requests.is_multiple_of(1_000), "{rare} of {requests}");
            assert!(steps.length_ns(rate) >= 1.9e9, "{rate} a second");
        }
    }

    #[test]
    fn what_longer_steps_do_not_confirm_is_lowered_until_they_do() {
        let load = load(&[(1_000, 100, 0)]);
        let steps = Steps::new(&load, Duration::from_millis(100));
        // Short steps take 1,000 a second, long ones 900.
        let sustains = |tried: &Steps, rate: f64| {
            let long = tried.length() > steps.length();
            Ok::<_, ()>(rate < if long { 900.0 } else { 1_000.0 })
        };
        let found = highest(&steps, 100.0, f64::INFINITY, sustains).unwrap().unwrap();
        assert!((870.0..900.0).contains(&found), "{found}");
    }

    #[test]
    fn a_search_among_rates_at_which_a_class_is_rare_takes_few_steps() {
        let load = load(&[(999, 120, 0), (1, 1_000, 0)]);
        let steps = Steps::new(&load, Duration::from_millis(500));
        let mut lasted = 0.0;
        let sustains = |tried: &Steps, rate: f64| {
            lasted += tried.length_ns(rate) / 1e9;
            Ok::<_, ()>(rate < 200.0)
        };
        let found = highest(&steps, 2_000.0, f64::INFINITY, sustains).unwrap().unwrap();
        assert!((180.0..200.0).contains(&found), "{found}");
        assert!(lasted < 120.0, "{lasted} s");
    }

    #[test]
    fn a_search_that_finds_no_rate_says_which_it_tried_last() {
        let load = load(&[(1_000, 100, 0)]);
        let steps = Steps::new(&load, Duration::from_millis(100));
        let found = highest(&steps, 100.0, f64::INFINITY, |_, _| Ok::<_, ()>(false)).unwrap();
        assert!(matches!(found, Err(NoRate(rate)) if rate < 1.0), "{found:?}");
    }
}
