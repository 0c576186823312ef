//! What came of a window of `load`, and how it is printed.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use load::{Seen, too_late};
use protocol::units;
use serde::Serialize;
use workloads::{Digest, histogram};

use crate::load::plan::{Arrivals, Plan};
use crate::load::requests::Requests;
use record::service::{RequestClass, ServiceProfile};

/// The result. Times in nanoseconds.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    schema: u32,
    target: String,
    /// The path that all ask for; none where a service's requests were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The name of the service whose requests were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    connections: u64,
    /// Requests a second that were due; none in a closed loop.
    offered_per_second: Option<f64>,
    /// When they were due; none in a closed loop.
    arrivals: Option<Arrivals>,
    achieved_per_second: f64,
    wall_ns: u64,
    sent: u64,
    answered: u64,
    errors: u64,
    first_error: Option<String>,
    unanswered: u64,
    /// Requests that were due and waited for a connection when the last one became due; none in a closed loop.
    backlog: Option<u64>,
    /// Answers by status.
    statuses: BTreeMap<u16, u64>,
    /// Connections opened anew because the server had closed them.
    reopened: u64,
    body_bytes: u64,
    /// First half of the BLAKE3 hash of the body that every right answer had; none with --any-body and for a service,
    /// whose answers differ and are each held against the right one.
    body_digest: Option<Digest>,
    /// From the intended send time.
    latency: Percentiles,
    /// What the service is to achieve.
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<Objective>,
    /// The same by class of a service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<OfClass>,
    /// How late requests left; none in a closed loop.
    send_lag: Option<Percentiles>,
    /// Throughput × mean latency: requests in flight by Little's law.
    in_flight: f64,
    generator_cpu_ns_per_request: Option<f64>,
    /// The generator's CPU time as a share of one CPU.
    generator_busy: Option<f64>,
    /// Latency of an ideal server, which answers at once, under the same load: the share of generator,
    /// loopback and kernel.
    /// None if it could not be driven.
    ideal_latency: Option<Percentiles>,
    /// Why the result should not be used, if so.
    void: Option<String>,
}

/// A service's objective.
#[derive(Debug, Clone, Copy, Serialize)]
struct Objective {
    p99_ns: u64,
    /// Whether it was met; none where too few requests were answered to know the p99.
    met: Option<bool>,
}

/// A class of a service's requests.
#[derive(Debug, Clone, Serialize)]
struct OfClass {
    name: String,
    answered: u64,
    latency: Percentiles,
}

#[derive(Debug, Clone, Serialize)]
struct Percentiles {
    mean: f64,
    p50: Option<u64>,
    p90: Option<u64>,
    p99: Option<u64>,
    p999: Option<u64>,
    max: u64,
}

/// Requests beyond a percentile, without which it is a matter of luck and not shown.
const BEYOND: f64 = 5.0;

impl Percentiles {
    fn of(nanoseconds: impl IntoIterator<Item = u64>) -> Self {
        let histogram = histogram(nanoseconds);
        let known = |share: f64| (1.0 - share) * histogram.len() as f64 >= BEYOND - 1e-9;
        let at = |share| known(share).then(|| histogram.value_at_quantile(share));
        Percentiles {
            mean: histogram.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max(),
        }
    }
}

impl Objective {
    fn of(service: &ServiceProfile, latency: &Percentiles) -> Self {
        let p99_ns = service.objective.p99.as_nanos() as u64;
        Objective { p99_ns, met: latency.p99.map(|p99| p99 <= p99_ns) }
    }
}

fn by_class(service: &ServiceProfile, requests: &Requests, seen: &Seen) -> Vec<OfClass> {
    let of_class = |(number, class): (usize, &RequestClass)| {
        let answers = seen.answers.iter().filter(|(index, _)| requests.class(*index) == number);
        let latencies: Vec<_> = answers.map(|&(_, latency)| latency).collect();
        OfClass {
            name: class.name.clone(),
            answered: latencies.len() as u64,
            latency: Percentiles::of(latencies),
        }
    };
    service.classes.iter().enumerate().map(of_class).collect()
}

impl Outcome {
    /// What a window comes to, beside one of an ideal server.
    pub(super) fn of(
        plan: &Plan,
        target: String,
        requests: &Requests,
        seen: &Seen,
        beside: Option<&Seen>,
    ) -> Outcome {
        let latencies =
            |seen: &Seen| Percentiles::of(seen.answers.iter().map(|&(_, latency)| latency));
        let latency = latencies(seen);
        let lag = plan.rate.map(|_| Percentiles::of(seen.lag_ns.iter().copied()));
        let p99 = |nanoseconds: &mut dyn Iterator<Item = u64>| {
            histogram(nanoseconds).value_at_quantile(0.99)
        };
        let lag_p99 = plan.rate.map(|_| p99(&mut seen.lag_ns.iter().copied()));
        let latency_p99 = p99(&mut seen.answers.iter().map(|&(_, latency)| latency));
        let late = lag_p99.filter(|lag| too_late(*lag, latency_p99, workloads::WAKE_UP));
        let never_sent =
            seen.unanswered.saturating_sub(seen.sent - seen.errors - seen.answers.len() as u64);
        let lost = seen.lost.as_ref().map(|lost| format!("it ended before its time: {lost}"));
        let overloaded = (plan.rate.is_some() && never_sent > 0).then(|| {
            format!(
                "{never_sent} requests found no free connection before the time was up and were never sent: the server \
                 or these connections cannot keep up with the rate, and latencies would be longer still"
            )
        });
        let void = lost.or(overloaded).or_else(|| {
        late.map(|lag| {
            format!(
                "requests left {} late at p99, more than a tenth of the latency: other work keeps the CPUs, or they \
                 wake up late; free a CPU or measure again",
                units::duration(lag as f64)
            )
        })
    });
        let service = requests.service();
        let answered = seen.answers.len() as u64;
        let seconds = (seen.wall_ns as f64 / 1e9).max(1e-9);
        let cpu = seen.usage.map(|used| used.cpu_ns() as f64);
        Outcome {
            schema: 1,
            target,
            path: service.is_none().then(|| requests.name().to_owned()),
            service: service.map(|service| service.name.clone()),
            connections: plan.connections,
            offered_per_second: plan.rate,
            arrivals: plan.rate.map(|_| plan.arrivals),
            achieved_per_second: answered as f64 / seconds,
            wall_ns: seen.wall_ns,
            sent: seen.sent,
            answered,
            errors: seen.errors,
            first_error: seen.first_error.clone(),
            unanswered: seen.unanswered,
            backlog: plan.rate.map(|_| seen.backlog),
            statuses: seen.statuses.clone(),
            reopened: seen.reopened,
            body_bytes: seen.body_bytes,
            body_digest: match (service, &requests.expected()[0].answer) {
                (None, Some((_, body))) => Some(workloads::digest_of_bytes(body)),
                _ => None,
            },
            objective: service.map(|service| Objective::of(service, &latency)),
            classes: service.map(|service| by_class(service, requests, seen)).unwrap_or_default(),
            in_flight: answered as f64 / seconds * latency.mean / 1e9,
            generator_cpu_ns_per_request: cpu.map(|cpu| cpu / answered.max(1) as f64),
            generator_busy: cpu.map(|cpu| cpu / 1e9 / seconds),
            ideal_latency: beside.map(latencies),
            void,
            latency,
            send_lag: lag,
        }
    }

    /// Whether an answer was wrong or missing, or the result should not be used.
    pub(super) fn is_bad(&self) -> bool {
        self.errors > 0 || self.unanswered > 0 || self.void.is_some()
    }

    /// Writes it for a reader.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let outcome = self;
        let Outcome { target, connections, sent, answered, errors, unanswered, .. } = outcome;
        let rate = outcome.offered_per_second.map(units::per_second);
        let pace = match (rate, outcome.arrivals) {
            (Some(rate), Some(Arrivals::Constant)) => format!("{rate} offered evenly"),
            (Some(rate), _) => format!("{rate} offered"),
            (None, _) => "closed loop".to_owned(),
        };
        let what = match (&outcome.path, &outcome.service) {
            (Some(path), _) => format!("{target}{path}"),
            (None, service) => format!("{target}, {}", service.as_deref().unwrap_or_default()),
        };
        writeln!(out, "{what}, {connections} connections, {pace}")?;
        writeln!(
            out,
            "{} achieved in {}; {sent} sent, {answered} answered, {errors} errors, {unanswered} unanswered",
            units::per_second(outcome.achieved_per_second),
            units::duration(outcome.wall_ns as f64),
        )?;
        if let Some(error) = &outcome.first_error {
            let accepted = outcome.body_digest.is_some()
                && outcome.statuses.keys().all(|status| *status < 400);
            let hint = if accepted && outcome.errors > 0 && error.starts_with("answer") {
                " (--any-body takes any body and any status below 400)"
            } else {
                ""
            };
            writeln!(out, "first error: {error}{hint}")?;
        }
        let all: u64 = outcome.statuses.values().sum();
        let by_status = outcome.statuses.iter().map(|(status, count)| {
            format!("{} with status {status}", units::percent(*count as f64 / all as f64))
        });
        if all > 0 {
            writeln!(out, "answers        {}", by_status.collect::<Vec<_>>().join(", "))?;
        }
        if outcome.reopened > 0 {
            writeln!(
                out,
                "connections    {} closed by the server and opened anew",
                outcome.reopened
            )?;
        }
        if let Some(backlog) = outcome.backlog.filter(|backlog| *backlog > 0) {
            writeln!(
                out,
                "backlog        {backlog} requests waited for a connection when the last became due"
            )?;
        }
        let mut line = |name: &str, p: &Percentiles| {
            let [p50, p90, p99, p999, max] = [p.p50, p.p90, p.p99, p.p999, Some(p.max)]
                .map(|ns| ns.map_or_else(|| "—".to_owned(), |ns| units::duration(ns as f64)));
            let mean = units::duration(p.mean);
            writeln!(
                out,
                "{name:14} mean {mean}, p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}"
            )
        };
        line("latency", &outcome.latency)?;
        let of_classes = outcome.classes.iter().filter(|_| outcome.classes.len() > 1);
        for class in of_classes {
            line(&format!("  {}", class.name), &class.latency)?;
        }
        if let Some(ideal) = &outcome.ideal_latency {
            line("ideal server", ideal)?;
        }
        if let Some(lag) = &outcome.send_lag {
            line("send lag", lag)?;
        }
        if let Some(objective) = outcome.objective {
            let met = match objective.met {
                Some(true) => "met",
                Some(false) => "NOT met",
                None => "not known: a p99 needs 500 answers",
            };
            let p99 = units::duration(objective.p99_ns as f64);
            writeln!(out, "objective      a p99 below {p99}: {met}")?;
        }
        if outcome.offered_per_second.is_none() {
            writeln!(
                out,
                "               a closed loop hides stalls: a server that stops is asked nothing meanwhile; give --rate"
            )?;
        }
        writeln!(
            out,
            "in flight      {} (throughput × mean latency)",
            units::digits(outcome.in_flight)
        )?;
        if let Some((each, busy)) = outcome.generator_cpu_ns_per_request.zip(outcome.generator_busy)
        {
            writeln!(
                out,
                "generator      {} CPU each, {} of a CPU{}",
                units::duration(each),
                units::percent(busy),
                if busy > 0.9 {
                    ": it is the bottleneck, throughput says nothing of the server"
                } else {
                    ""
                }
            )?;
        }
        match &outcome.body_digest {
            Some(digest) => {
                writeln!(out, "bodies         all {digest}, {} bytes in all", outcome.body_bytes)?
            }
            None if outcome.service.is_some() => {
                writeln!(out, "bodies         each compared, {} bytes in all", outcome.body_bytes)?
            }
            None => {
                writeln!(out, "bodies         not compared, {} bytes in all", outcome.body_bytes)?
            }
        }
        if let Some(void) = &outcome.void {
            writeln!(out, "VOID: {void}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_known_where_five_requests_lie_beyond() {
        let of = |count| Percentiles::of(1..=count);
        let few = of(49);
        assert_eq!((few.p50.is_some(), few.p90, few.p99), (true, None, None));
        assert!(of(50).p90.is_some() && of(499).p99.is_none() && of(500).p99.is_some());
        assert_eq!(of(4_999).p999, None);
        assert!(of(5_000).p999.is_some());
    }
}
