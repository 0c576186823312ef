//! What is measured of a described service: its cases by their ids, and the changes of it.

use serde::{Deserialize, Serialize};

use crate::service::ServiceProfile;

/// The id of the case that decides.
pub const DESCRIBED: &str = "traffic/described";

/// The id of the search for the capacity, where something else decides.
pub const CAPACITY: &str = "traffic/capacity";

/// One thing that is changed to see whether the decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Half as many connections.
    HalfConnections,
    /// Twice as many connections.
    DoubleConnections,
    /// Half as much computing in each request.
    HalfCpu,
    /// Twice as much computing in each request.
    DoubleCpu,
    /// Half as many blocking calls.
    HalfBlocking,
    /// Twice as many blocking calls.
    DoubleBlocking,
}

impl Change {
    /// All of them, in the order of the record.
    pub const ALL: [Change; 6] = [
        Change::HalfConnections,
        Change::DoubleConnections,
        Change::HalfCpu,
        Change::DoubleCpu,
        Change::HalfBlocking,
        Change::DoubleBlocking,
    ];

    /// The change in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Change::HalfConnections => "half the connections",
            Change::DoubleConnections => "twice the connections",
            Change::HalfCpu => "half the CPU time per request",
            Change::DoubleCpu => "twice the CPU time per request",
            Change::HalfBlocking => "half the share of blocking calls",
            Change::DoubleBlocking => "twice the share of blocking calls",
        }
    }

    /// The id of its case.
    pub fn id(self) -> &'static str {
        match self {
            Change::HalfConnections => "traffic/half-connections",
            Change::DoubleConnections => "traffic/double-connections",
            Change::HalfCpu => "traffic/half-cpu",
            Change::DoubleCpu => "traffic/double-cpu",
            Change::HalfBlocking => "traffic/half-blocking",
            Change::DoubleBlocking => "traffic/double-blocking",
        }
    }

    /// The service with that change; `None` where it changes nothing or cannot be.
    pub fn of(self, service: &ServiceProfile) -> Option<ServiceProfile> {
        let mut changed = service.clone();
        let connections = &mut changed.load.connections;
        match self {
            Change::HalfConnections => *connections = (*connections / 2).max(1),
            Change::DoubleConnections => *connections *= 2,
            Change::HalfCpu => changed.classes.iter_mut().for_each(|class| class.cpu /= 2),
            Change::DoubleCpu => changed.classes.iter_mut().for_each(|class| class.cpu *= 2),
            Change::HalfBlocking => changed = share_of_blocking(service, 0.5)?,
            Change::DoubleBlocking => changed = share_of_blocking(service, 2.0)?,
        }
        (changed != *service).then_some(changed)
    }
}

/// Multiplies the share of requests that block: so many others do likewise, or no longer do.
fn share_of_blocking(service: &ServiceProfile, factor: f64) -> Option<ServiceProfile> {
    let of = |blocking| -> f64 {
        let classes = service.classes.iter().filter(|class| class.blocking == blocking);
        f64::from(classes.map(|class| class.per_mille).sum::<u32>())
    };
    let (before, others) = (of(true), of(false));
    // No request blocks, or all do already.
    if before == 0.0 || before * (factor - 1.0) > others {
        return None;
    }
    let joining = if factor > 1.0 { before * (factor - 1.0) / others } else { 0.0 };
    let staying = factor.min(1.0);
    service.with_blocking(|class| {
        let part = if class.blocking { staying } else { joining };
        (f64::from(class.per_mille) * part).round() as u32
    })
}

/// A case that is not measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its id.
    pub case: String,
    /// Why, in a clause.
    pub reason: String,
}
