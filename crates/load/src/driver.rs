//! Windows of HTTP load as the harness wants them: answers checked, the schedule kept, nothing beyond the
//! machine, or the window void.

use std::net::SocketAddr;
use std::time::Duration;

use workloads::service::Work;
use workloads::{AnswerDigest, Fact, Facts, HttpLoad, Pace, Sequence, arrivals};

use super::http::{Conduct, Expect, HttpGenerator, Seen, Timetable};
use super::keeping_up::Schedule;
use super::kinds::Kinds;
use super::search::{NoRate, Steps, highest};
use super::{physics, too_late};
use protocol::{Failure, FailureKind, Window};
use workloads::observation;
use workloads::{histogram, steps};

const PATIENCE: Duration = Duration::from_secs(10);
/// How long before a request is due the generator wakes up where the CPU matters more than the lag.
const SPIN: Duration = Duration::from_micros(5);
/// Where requests are rare, CPUs fall asleep between them, and waking up takes longer than some answers: the
/// generator is awake for this part of the time between two requests before the second is due.
const AWAKE: u32 = 25;
const LONGEST_SPIN: Duration = Duration::from_micros(500);
/// Where a search begins, as a share of what a closed loop gets through.
const START: f64 = 0.75;
/// A step that is so many times as far behind as it may be is not tried again.
const HOPELESS: f64 = 4.0;
/// Requests after which a loop without an end but a time begins its order anew.
const ORDER: u64 = 10_000;

/// A generator with its load.
pub(crate) struct Driver {
    generator: HttpGenerator,
    load: HttpLoad,
    kinds: Kinds,
    /// How long a server may be silent.
    patience: Duration,
}

impl Driver {
    pub(crate) fn connect(target: SocketAddr, load: &HttpLoad) -> Result<Self, Failure> {
        let host = target.to_string();
        let kinds = Kinds::of(load, target);
        let trivial = Work::default();
        let mut request = Vec::new();
        workloads::http::write_get(&mut request, &host, &trivial.target());
        let mut generator = HttpGenerator::connect(target, load.connections, &request)?;
        // A trivial request on every connection, so that each has what the server starts for it.
        let kinds_of_first = [Expect { request, answer: Some((200, trivial.body())) }];
        let timetable = Timetable::Closed(load.connections as u64);
        let first = generator.window(
            &Conduct { timetable, patience: PATIENCE, overtime: None, spin: SPIN },
            &kinds_of_first,
            |_| 0,
        )?;
        if first.answers.len() < load.connections {
            let (count, of) = (first.answers.len(), load.connections);
            let why = (first.lost.clone())
                .or_else(|| first.first_error.clone())
                .unwrap_or_else(|| format!("no answer within {PATIENCE:?}"));
            let reason = format!("{count} of {of} connections were served: {why}");
            return Err(Failure::new(kind_of_failure(&first), reason));
        }
        let waits = load.mix.iter().map(|share| share.work.wait);
        let patience = PATIENCE + waits.max().unwrap_or_default();
        Ok(Driver { generator, load: load.clone(), kinds, patience })
    }

    pub(crate) fn window(&mut self) -> Result<Window, Failure> {
        let (seed, clients) = (self.load.seed, self.load.connections as u64);
        match self.load.pace {
            Pace::Closed { requests } => self.fixed(requests, Timetable::Closed(requests)),
            Pace::Burst => self.fixed(clients, Timetable::Closed(clients)),
            Pace::Open { rate, requests } => {
                self.fixed(requests, Timetable::Open(arrivals(seed, rate, requests)))
            }
            Pace::Capacity { target, step } => self.capacity(target, step),
        }
    }

    /// Drives these requests. A window that cannot be is void, never a number.
    fn drive(
        &mut self,
        sequence: &Sequence,
        timetable: Timetable,
        spin: Duration,
    ) -> Result<Seen, Failure> {
        let kind = |index| self.kinds.of_request(sequence.request(index));
        let conduct = Conduct { timetable, patience: self.patience, overtime: None, spin };
        let seen = self.generator.window(&conduct, self.kinds.expected(), kind)?;
        let first_error = seen.lost.as_ref().or(seen.first_error.as_ref());
        if let Some(error) = first_error {
            let kind = kind_of_failure(&seen);
            let reason =
                format!("{} of {} requests failed; the first: {error}", seen.errors, seen.sent);
            return Err(Failure::new(kind, reason));
        }
        let class = |index| sequence.request(index).0;
        // What was given up is still computed, and its latency is not known.
        match physics::impossible(&self.load, &seen, class).filter(|_| seen.unanswered == 0) {
            Some(reason) => Err(Failure::new(FailureKind::Void, reason)),
            None => Ok(seen),
        }
    }

    /// A window with a known number of requests.
    fn fixed(&mut self, requests: u64, timetable: Timetable) -> Result<Window, Failure> {
        let (open, spin) = match &timetable {
            Timetable::Open(due) => (true, spin_before(due)),
            _ => (false, SPIN),
        };
        let sequence = self.load.sequence(requests, 0);
        let seen = self.drive(&sequence, timetable, spin)?;
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
            let request = sequence.request(index);
            digest.add(index, self.kinds.answers()[self.kinds.of_request(request)]);
            by_class[request.0].push(latency);
        }
        let counted = match self.load.counted {
            Some(class) => histogram(by_class[class].iter().copied()),
            None => histogram(by_class.iter().flatten().copied()),
        };
        let mut facts = self.computing(requests, &sequence);
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
            facts.insert(Fact::SendLagP99Ns, lag);
            facts.insert(Fact::Backlog, seen.backlog);
        }
        if let Some(other) = by_class.get(1) {
            let p99 = histogram(other.iter().copied()).value_at_quantile(0.99);
            facts.insert(Fact::HeavyP99Ns, p99);
        }
        Ok(Window {
            wall_ns: seen.wall_ns,
            digest: digest.finish(),
            latency_ns: steps(&counted),
            generator_cpu_ns: seen.usage.map(|used| used.cpu_ns()),
            facts,
        })
    }

    /// What a window's requests compute as described, and what as many would compute whose classes have exactly
    /// their shares, nanoseconds: where requests are few, a rare class cannot come as often as described. Nothing
    /// if that is the same.
    fn computing(&self, requests: u64, sequence: &Sequence) -> Facts {
        let cpu = |class| self.load.cpu_ns(class);
        let sent: u64 = (0..requests).map(|index| cpu(sequence.request(index).0)).sum();
        let described =
            (self.load.mean(|class| cpu(class) as f64) * requests as f64).round() as u64;
        if sent == described {
            return Facts::new();
        }
        Facts::from([(Fact::SentCpuNs, sent), (Fact::DescribedCpuNs, described)])
    }

    /// The search for the highest rate that is served in time. A closed loop says where to begin.
    fn capacity(&mut self, target: Duration, step: Duration) -> Result<Window, Failure> {
        let steps = Steps::new(&self.load, step);
        let order = self.load.sequence(ORDER, 0);
        let probe = self.drive(&order, Timetable::ClosedFor(steps.length()), SPIN)?;
        if probe.answers.is_empty() {
            let reason = format!("no request was answered within {:?}", steps.length());
            return Err(Failure::new(FailureKind::Timeout, reason));
        }
        let mut search = Search {
            target,
            wall_ns: probe.wall_ns,
            requests: probe.sent,
            steps: 1,
            cpu_ns: 0,
            best: None,
        };
        let start = START * probe.answers.len() as f64 / probe.wall_ns as f64 * 1e9;
        let ceiling = physics::highest_rate(&self.load);
        let found =
            highest(&steps, start, ceiling, |steps, rate| search.sustains(self, steps, rate))?;
        let capacity = found.map_err(|NoRate(tried)| {
            let reason = format!(
                "no rate keeps p99 below {target:?} and its backlog from growing; the last tried was {tried:.3} a second"
            );
            Failure::new(FailureKind::Timeout, reason)
        })?;
        let mut digest = AnswerDigest::default();
        (0..).zip(self.kinds.answers()).for_each(|(index, answer)| digest.add(index, *answer));
        let (latency_ns, lag) = search.best.unwrap_or_default();
        let mut facts = Facts::from([
            (Fact::Operations, search.requests),
            (Fact::SearchSteps, search.steps),
            (Fact::SendLagP99Ns, lag),
        ]);
        observation::note_capacity(&mut facts, capacity);
        Ok(Window {
            wall_ns: search.wall_ns,
            digest: digest.finish(),
            latency_ns,
            generator_cpu_ns: Some(search.cpu_ns),
            facts,
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

/// What became of a step.
enum Step {
    Passed,
    Failed,
    /// By so much that no moment of the machine explains it.
    Hopeless,
}

/// The state of a search for the capacity.
struct Search {
    target: Duration,
    wall_ns: u64,
    requests: u64,
    steps: u64,
    cpu_ns: u64,
    /// Latencies and send lag at the highest rate that passed.
    best: Option<(Vec<(u64, u64)>, u64)>,
}

impl Search {
    /// Whether a rate is served in time, the second time if not the first: a moment in which the machine is
    /// somewhere else fails a step, and no moment passes one. What is far from it is not tried again.
    fn sustains(&mut self, driver: &mut Driver, steps: &Steps, rate: f64) -> Result<bool, Failure> {
        Ok(match self.step(driver, steps, rate)? {
            Step::Passed => true,
            Step::Failed => matches!(self.step(driver, steps, rate)?, Step::Passed),
            Step::Hopeless => false,
        })
    }

    /// Whether a rate is served in time once: all answered, p99 below the target, no growing backlog.
    fn step(&mut self, driver: &mut Driver, steps: &Steps, rate: f64) -> Result<Step, Failure> {
        let (requests, length_ns) = (steps.requests(rate), steps.length_ns(rate));
        let sequence = driver.load.sequence(requests, self.steps);
        let mut due = arrivals(driver.load.seed + self.steps, rate, requests);
        stretch(&mut due, length_ns);
        let seen = driver.drive(&sequence, Timetable::Open(due.clone()), SPIN)?;
        self.steps += 1;
        self.wall_ns += seen.wall_ns;
        self.requests += seen.sent;
        self.cpu_ns += seen.usage.map_or(0, |used| used.cpu_ns());
        let load = &driver.load;
        let counts =
            |index| load.counted.is_none_or(|counted| counted == sequence.request(index).0);
        let counted = seen.answers.iter().filter(|(index, _)| counts(*index));
        let latencies = histogram(counted.map(|&(_, latency)| latency));
        let in_time = latencies.value_at_quantile(0.99) <= self.target.as_nanos() as u64;
        let work = |index| -> Work { load.mix[sequence.request(index).0].work };
        let asked = due.into_iter().zip((0..).map(work)).collect();
        let excess = Schedule { asked, length_ns, unit_ns: load.unit_ns }.excess(&seen.answers);
        if seen.unanswered > 0 || excess > HOPELESS {
            return Ok(Step::Hopeless);
        }
        if !in_time || excess > 1.0 {
            return Ok(Step::Failed);
        }
        let lag = histogram(seen.lag_ns.iter().copied()).value_at_quantile(0.99);
        self.best = Some((workloads::steps(&latencies), lag));
        Ok(Step::Passed)
    }
}

/// Makes a schedule end at exactly `length_ns`. Some hundred arrivals at random are offered at a rate that
/// is several per cent off, and a search would take the luckiest step for the capacity.
pub(super) fn stretch(due: &mut [u64], length_ns: f64) {
    let factor = length_ns / *due.last().expect("a step has requests") as f64;
    due.iter_mut().for_each(|at| *at = (*at as f64 * factor) as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_awake_for_a_small_part_of_the_time_and_longer_where_requests_are_rare() {
        let every = |gap: Duration| spin_before(&[1, 2, 3].map(|n| n * gap.as_nanos() as u64));
        assert_eq!(every(Duration::from_micros(20)), SPIN);
        assert_eq!(every(Duration::from_millis(1)), Duration::from_micros(40));
        assert_eq!(every(Duration::from_millis(10)), Duration::from_micros(400));
        assert_eq!(every(Duration::from_secs(1)), LONGEST_SPIN);
        assert_eq!(spin_before(&[]), SPIN);
    }
}
