//! The map of a plan: a service along two axes.

use serde::{Deserialize, Serialize};

use crate::axis::{Axis, Resolution};
use crate::service::{
    Limits, Load, Objective, Optimise, Preferences, RequestClass, ServiceProfile,
};
use std::time::Duration;

/// The map of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// The axis from left to right.
    pub x: Axis,
    /// The axis upwards.
    pub y: Axis,
    /// How many points a decade has.
    pub resolution: Resolution,
    /// Whether every point is measured, not only those along borders.
    pub full: bool,
    /// Points that cannot be measured here.
    pub beyond: Vec<Beyond>,
}

/// A point that cannot be measured here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// Its place along the x axis.
    pub column: usize,
    /// Its place along the y axis.
    pub row: usize,
    /// Why not, in a clause.
    pub reason: String,
}

/// The service of a map that is given none: requests of 100 clients that wait 20 ms and compute 100 µs.
pub fn plain() -> ServiceProfile {
    ServiceProfile {
        name: "a plain service".to_owned(),
        load: Load { connections: 100, rate: None },
        classes: vec![RequestClass {
            name: "request".to_owned(),
            per_mille: 1_000,
            wait: Duration::from_millis(20),
            cpu: Duration::from_micros(100),
            payload_bytes: 256,
            blocking: false,
        }],
        objective: Objective { p99: Duration::from_millis(1_250), optimise: Optimise::Throughput },
        limits: Limits::default(),
        preferences: Preferences::default(),
    }
}

impl Map {
    /// The id of the case at a point, given as column and row, such as `traffic/connections=1,cpu=1us`.
    pub fn case_id(&self, (column, row): (usize, usize)) -> String {
        let at = |axis: &Axis, index: usize| {
            let quantity = axis.quantity;
            format!("{}={}", quantity.name(), quantity.written(axis.values[index]))
        };
        format!("traffic/{},{}", at(&self.x, column), at(&self.y, row))
    }

    /// The options of `map` that ask for these axes again.
    pub fn options(&self) -> String {
        let Map { x, y, resolution, full, .. } = self;
        let full = if *full { " --full" } else { "" };
        format!(
            "--x {} --y {} --per-decade {}{full}",
            x.written(),
            y.written(),
            resolution.per_decade()
        )
    }
}

/// Whether a service is the one of [`plain`].
pub fn is_plain(service: &ServiceProfile) -> bool {
    *service == plain()
}
