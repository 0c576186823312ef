//! Which models may be recommended: those that the preferences leave, in the order of the preferences.

use super::values::grouped;
use super::{Preferences, ServiceProfile};
use crate::programs::STRATEGIES;

/// What a yardstick is for: it has no concurrency model that a program could be written in.
const FLOOR: &str = "floor";
/// Runtimes that nobody maintains any more.
const DISCONTINUED: [&str; 1] = ["async-std"];
/// What makes functions of a program `async`.
const ASYNC: [&str; 4] = ["tokio", "async-std", "smol", "hybrid"];

/// What holds a thread for every connection.
const THREAD_PER_CONNECTION: [&str; 2] = ["threads", "rayon"];

/// Every model there is.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    STRATEGIES.into_iter().filter(|name| *name != FLOOR)
}

impl Preferences {
    /// Why a model is left out, if it is, as the key that does it and what that means.
    pub(super) fn leaves_out(&self, model: &str) -> Option<(&'static str, &'static str)> {
        if self.exclude.iter().any(|name| name == model) {
            Some(("exclude", "excluded"))
        } else if self.maintained_only && DISCONTINUED.contains(&model) {
            Some(("maintained_only", "discontinued"))
        } else if self.no_async && ASYNC.contains(&model) {
            Some(("no_async", "async"))
        } else {
            None
        }
    }
}

impl ServiceProfile {
    /// Who may be recommended: those named in `order`, then the others.
    pub(crate) fn candidates(&self) -> Vec<&'static str> {
        let order = &self.preferences.order;
        let place = |model: &&str| order.iter().position(|name| name == model);
        let mut left: Vec<_> =
            all().filter(|model| self.preferences.leaves_out(model).is_none()).collect();
        left.sort_by_key(|model| place(model).unwrap_or(order.len()));
        left
    }

    /// Who is left out, each with the reason.
    pub(crate) fn left_out(&self) -> Vec<(&'static str, String)> {
        let reason = |model| {
            let (key, reason) = self.preferences.leaves_out(model)?;
            Some((model, format!("{reason} (preferences.{key})")))
        };
        all().filter_map(reason).collect()
    }

    /// Who certainly breaks a limit, each with the reason.
    pub(crate) fn beyond_limits(&self) -> Vec<(&'static str, String)> {
        let connections = self.load.connections;
        let Some(limit) = self.limits.threads.filter(|&limit| limit < connections) else {
            return Vec::new();
        };
        let (connections, limit) = (grouped(connections), grouped(limit));
        let reason = format!(
            "it holds a thread for each of {connections} connections, and limits.threads is {limit}"
        );
        THREAD_PER_CONNECTION.map(|model| (model, reason.clone())).into()
    }
}
