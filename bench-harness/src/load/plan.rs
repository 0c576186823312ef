//! When requests are sent, over how many connections and for how long.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use load::{Conduct, HttpGenerator, Seen, Timetable};
use protocol::Failure;
use serde::Serialize;
use workloads::UsageError;
use workloads::arrivals;

use crate::load::requests::{PATIENCE, Requests};

/// A server may be fast, so being on time matters more than the CPU: the generator is awake for this part of the
/// time between two requests before the second is due, within these bounds.
const AWAKE: f64 = 0.25;
/// A service that computes needs the CPUs itself.
const AWAKE_BESIDE_WORK: f64 = 0.04;
const SPIN: Duration = Duration::from_micros(50);
const LONGEST_SPIN: Duration = Duration::from_micros(500);
/// Requests that wait for a connection are sent for this part of the duration after its end, or so long.
const OVERTIME: f64 = 0.1;
const LEAST_OVERTIME: Duration = Duration::from_secs(1);
/// The shortest time of which a rate says anything.
const SHORTEST: Duration = Duration::from_millis(10);

/// When the requests of an open loop are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Arrivals {
    /// At the times of a Poisson process: clients that know nothing of each other
    Poisson,
    /// Evenly, one after the other
    Constant,
}

/// When requests are sent, over how many connections and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Requests a second; `None` for a closed loop.
    pub(super) rate: Option<f64>,
    /// When the requests of an open loop are due.
    pub(super) arrivals: Arrivals,
    pub(super) connections: u64,
    pub(super) duration: Duration,
    pub(super) seed: u64,
}

impl Plan {
    /// Whether this machine can keep it.
    ///
    /// # Errors
    /// If not, in a sentence that names the option.
    pub(super) fn check(&self) -> Result<(), UsageError> {
        if let Some(rate) = self.rate.filter(|rate| !(0.001..=1e7).contains(rate)) {
            return Err(UsageError(format!(
                "--rate {rate}: give 0.001 to 10000000 requests a second"
            )));
        }
        if self.duration < SHORTEST || self.duration > Duration::from_secs(86_400) {
            return Err(UsageError("--duration: give 10ms to 24h".to_owned()));
        }
        if let Some(rate) = self.rate.filter(|rate| rate * self.duration.as_secs_f64() < 1.0) {
            let duration = humantime::format_duration(self.duration);
            return Err(UsageError(format!(
                "--rate {rate}: makes no request in {duration}: give a higher rate or a longer --duration"
            )));
        }
        machine::check_connections(self.connections)
            .map_err(|reason| UsageError(format!("--{reason}")))
    }

    /// Requests of an open loop.
    pub(super) fn requests(&self) -> Option<u64> {
        self.rate.map(|rate| (rate * self.duration.as_secs_f64()).max(1.0) as u64)
    }

    /// When each request of an open loop is due, in nanoseconds from the start.
    fn due(&self) -> Option<Vec<u64>> {
        let (rate, requests) = self.rate.zip(self.requests())?;
        let length = self.duration.as_nanos() as f64;
        Some(match self.arrivals {
            Arrivals::Constant => {
                (0..requests).map(|index| (index as f64 * 1e9 / rate) as u64).collect()
            }
            Arrivals::Poisson => {
                // A Poisson process of which so many arrivals come in that time: the next one comes at its end.
                let mut due = arrivals(self.seed, rate, requests + 1);
                let next = due.pop().unwrap_or(1).max(1);
                due.iter().map(|at| (*at as f64 * length / next as f64) as u64).collect()
            }
        })
    }

    /// Sends the requests to the target.
    ///
    /// # Errors
    /// If it cannot be connected to.
    pub(super) fn drive(&self, target: SocketAddr, requests: &Requests) -> anyhow::Result<Seen> {
        let connections = self.connections as usize;
        let mut generator = HttpGenerator::connect(target, connections, requests.first()).map_err(
            |failure| {
                anyhow::anyhow!(
                    "{}: if the server admits fewer than {connections} connections, lower --connections",
                    failure.reason
                )
            },
        )?;
        let awake = if requests.service().is_some() { AWAKE_BESIDE_WORK } else { AWAKE };
        let spin = self
            .rate
            .map_or(SPIN, |rate| Duration::from_secs_f64(awake / rate).clamp(SPIN, LONGEST_SPIN));
        let timetable = self.due().map_or(Timetable::ClosedFor(self.duration), Timetable::Open);
        let overtime = Some(self.duration.mul_f64(OVERTIME).max(LEAST_OVERTIME));
        let patience = PATIENCE + requests.longest_wait();
        let conduct = Conduct { timetable, patience, overtime, spin };
        generator
            .window(&conduct, requests.expected(), |index| requests.kind(index))
            .map_err(failed)
    }
}

/// A failure in words.
pub(super) fn failed(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", failure.failure, failure.reason)
}
