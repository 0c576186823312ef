//! Which models may be recommended: those that the preferences leave, in the order of the preferences.

use std::time::Duration;

use crate::models::{self, Model};
use crate::service::{Preferences, RequestClass, ServiceProfile};
use crate::values::{grouped, time};

/// Waits below which a millisecond decides.
const SHORT_WAIT: Duration = Duration::from_millis(10);

impl Preferences {
    /// Why a model is left out, if it is, as the key that does it and what that means.
    pub fn leaves_out(&self, model: &Model) -> Option<(&'static str, &'static str)> {
        if self.exclude.iter().any(|name| name == model.name) {
            Some(("exclude", "excluded"))
        } else if self.maintained_only && model.discontinued.is_some() {
            Some(("maintained_only", "discontinued"))
        } else if self.no_async && model.is_async {
            Some(("no_async", "async"))
        } else {
            None
        }
    }
}

impl ServiceProfile {
    /// The models that may be recommended: those named in `order`, then the others.
    pub fn candidates(&self) -> Vec<&'static str> {
        let order = &self.preferences.order;
        let place = |model: &&str| order.iter().position(|name| name == model);
        let wanted = models::choices().filter(|model| self.preferences.leaves_out(model).is_none());
        let mut left: Vec<_> = wanted.map(|model| model.name).collect();
        left.sort_by_key(|model| place(model).unwrap_or(order.len()));
        left
    }

    /// The models that are left out, each with the reason.
    pub fn left_out(&self) -> Vec<(&'static str, String)> {
        let reason = |model: &Model| {
            let (key, reason) = self.preferences.leaves_out(model)?;
            Some((model.name, format!("{reason} (preferences.{key})")))
        };
        models::choices().filter_map(reason).collect()
    }

    /// Blocking calls under way on average if none has to queue (Little's law); as many as there are connections
    /// where no rate is given and every class blocks.
    pub fn blocking_under_way(&self) -> f64 {
        let mean = |only_blocking: bool, of: fn(&RequestClass) -> Duration| -> f64 {
            let classes = self.classes.iter().filter(|class| class.blocking || !only_blocking);
            classes.map(|class| f64::from(class.per_mille) / 1e3 * of(class).as_secs_f64()).sum()
        };
        let connections = self.load.connections as f64;
        let blocked = mean(true, |class| class.wait);
        let under_way = match self.load.rate {
            Some(rate) => rate as f64 * blocked,
            None if blocked > 0.0 => {
                connections * blocked / mean(false, |class| class.wait + class.cpu)
            }
            None => 0.0,
        };
        under_way.min(connections)
    }

    /// Why a default of a model bounds this service, with the setting that lifts it.
    pub fn bounded_by_default(&self, model: &str) -> Option<String> {
        let under_way = self.blocking_under_way();
        let (most, setting) = models::find(model)?.blocking_calls?;
        (under_way > most as f64).then(|| {
            let (under_way, most) = (grouped(under_way.round() as u64), grouped(most));
            format!(
                "{model} makes {most} blocking calls at once by default, and about {under_way} are under way here: \
                 {setting} raises that"
            )
        })
    }

    /// The shortest wait that is no blocking call, where it is so short that the grain of a timer decides.
    fn short_wait(&self) -> Option<Duration> {
        let waits = self.classes.iter().filter(|class| !class.blocking && !class.wait.is_zero());
        waits.map(|class| class.wait).min().filter(|wait| *wait < SHORT_WAIT)
    }

    /// That a model's timer makes its waits longer than those for a socket would be, where that matters.
    pub fn lengthened_by_timer(&self, model: &str) -> Option<String> {
        let wait = self
            .short_wait()
            .filter(|_| models::find(model).is_some_and(|model| model.millisecond_timer))?;
        let wait = time(wait.as_nanos() as f64);
        Some(format!(
            "waits are made by each model's timer, and {model}'s rounds {wait} up to the next millisecond, as an answer \
             from a socket would not be"
        ))
    }

    /// What defaults and timers of the models decide here, one sentence each.
    pub fn reservations(&self) -> Vec<String> {
        let bounded = models::choices().filter_map(|model| self.bounded_by_default(model.name));
        let mut reservations: Vec<_> = bounded.map(|bounded| format!("{bounded}.")).collect();
        reservations.extend(self.short_wait().map(|wait| {
            let timers = models::choices().filter(|model| model.millisecond_timer);
            let timers: Vec<_> = timers.map(|model| model.name).collect();
            let (timers, wait) = (timers.join(" and "), time(wait.as_nanos() as f64));
            format!(
                "Waits are made by each model's timer: {timers} round {wait} up to the next millisecond, as an answer \
                 from a socket would not be."
            )
        }));
        reservations
    }

    /// The candidates that do not certainly break a limit.
    pub fn within_limits(&self) -> Vec<&'static str> {
        let beyond = self.beyond_limits();
        let mut left = self.candidates();
        left.retain(|model| beyond.iter().all(|(name, _)| name != model));
        left
    }

    /// The models that certainly break a limit, each with the reason.
    pub fn beyond_limits(&self) -> Vec<(&'static str, String)> {
        let connections = self.load.connections;
        let Some(limit) = self.limits.threads.filter(|&limit| limit < connections) else {
            return Vec::new();
        };
        let (connections, limit) = (grouped(connections), grouped(limit));
        let reason = format!(
            "it holds a thread for each of {connections} connections, and limits.threads is {limit}"
        );
        let holders = models::choices().filter(|model| model.thread_per_connection);
        holders.map(|model| (model.name, reason.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::service;
    use crate::service::Optimise;

    #[test]
    fn a_default_that_bounds_blocking_calls_is_named_with_its_setting() {
        let mut legacy = service(Optimise::Cpu);
        legacy.load.connections = 1_500;
        legacy.load.rate = Some(4_000);
        legacy.classes.truncate(1);
        legacy.classes[0].per_mille = 1_000;
        legacy.classes[0].wait = Duration::from_millis(250);
        assert_eq!(legacy.bounded_by_default("tokio"), None, "it does not block");
        legacy.classes[0].blocking = true;
        assert_eq!(
            legacy.bounded_by_default("tokio").unwrap(),
            "tokio makes 512 blocking calls at once by default, and about 1,000 are under way here: \
             runtime::Builder::max_blocking_threads raises that"
        );
        assert_eq!(legacy.bounded_by_default("threads"), None);
        legacy.load.rate = None;
        assert!(legacy.bounded_by_default("smol").unwrap().contains("about 1,500 are under way"));
        legacy.load.rate = Some(1_000);
        assert_eq!(legacy.bounded_by_default("smol"), None, "250 are under way");
    }

    #[test]
    fn short_waits_say_whose_timer_rounds_them_up() {
        let mut cache = service(Optimise::P99);
        cache.classes.truncate(1);
        cache.classes[0].wait = Duration::from_micros(200);
        let note = cache.lengthened_by_timer("tokio").unwrap();
        assert!(note.contains("tokio's rounds 200 µs up to the next millisecond"), "{note}");
        assert_eq!(cache.lengthened_by_timer("smol"), None);
        assert!(cache.reservations()[0].contains("tokio and hybrid round 200 µs up"));
        cache.classes[0].wait = Duration::from_millis(20);
        assert_eq!(cache.lengthened_by_timer("tokio"), None);
    }
}
