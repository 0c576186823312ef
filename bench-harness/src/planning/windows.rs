//! How long the windows and steps of a decision are, and how long a process needs for them.

use std::time::Duration;

use load::search::{CONFIRMATION, OF_THE_RAREST, step_length};
use record::service::ServiceProfile;
use workloads::serve::Drive;
use workloads::{Profile, closest_to_shares};

/// Requests in one window of an open loop, at least: 99 of 100 have to mean something.
const LEAST_REQUESTS: u64 = 500;
/// Windows are so many times as long as the longest request, at least.
const LONGER_THAN_A_REQUEST: f64 = 5.0;
/// The same of requests that take so long that the window would be longer than this.
const LONGER_THAN_A_LONG_REQUEST: f64 = 1.2;
const LONG_WINDOW: Duration = Duration::from_secs(20);
/// A step of the search for the capacity lasts until one CPU could compute so many requests, at least: of a
/// handful it does not show whether a server keeps up.
const COMPUTED_IN_A_STEP: u32 = 15;
/// The longest step that the workload takes.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// Steps of a search, usually, and on a bad day.
pub(super) const STEPS: u32 = 10;
const MOST_STEPS: u32 = 25;
/// What it takes to confirm what they found on a bad day: a server that falls far behind the others is searched for
/// among rates at which a rare class takes long to come. Usually it is one step.
const LONG_CONFIRMING: Duration = Duration::from_mins(4);
/// A search that takes longer than this for each entry is not begun.
const LONGEST_SEARCH: Duration = Duration::from_mins(5);
/// Windows of a visit: two may be void.
const WINDOWS: u32 = 3;
/// What a process needs beside its windows.
const BESIDE: Duration = Duration::from_secs(30);

/// How long a process of a case lasts, and what it is given to do.
pub(super) struct Lengths {
    /// Requests of a window of an open loop.
    pub(super) requests: u64,
    /// A step of the search for the capacity.
    pub(super) step: Duration,
    /// What a process needs, usually.
    pub(super) usual: Duration,
    /// What it may need.
    pub(super) limit: Duration,
}

impl Lengths {
    /// Those of a service that is driven like this, with so many requests a second in an open loop.
    ///
    /// # Errors
    /// If a search for the capacity would take too long.
    pub(super) fn of(
        service: &ServiceProfile,
        drive: Drive,
        rate: u64,
        profile: Profile,
    ) -> Result<Self, String> {
        let longest =
            service.classes.iter().map(|class| class.wait + class.cpu).max().unwrap_or_default();
        let requests = requests(service, rate, profile, longest);
        let step = step(service, profile, longest);
        if drive == Drive::Capacity {
            let each = actual_step(service, step) + longest;
            if each * STEPS > LONGEST_SEARCH {
                return Err(format!(
                    "a search for the capacity would take {} for each entry, with steps of {}: optimise something \
                     else at a given rate, or describe shorter requests and no class that is so rare",
                    rough(each * STEPS),
                    rough(each)
                ));
            }
            let limit = BESIDE + each * MOST_STEPS + LONG_CONFIRMING;
            return Ok(Lengths { requests, step, usual: each * STEPS + CONFIRMATION, limit });
        }
        let window = Duration::from_secs_f64(requests as f64 / rate as f64);
        let limit = BESIDE + (window + 2 * longest) * WINDOWS;
        Ok(Lengths { requests, step, usual: window + longest, limit })
    }
}

/// A duration in whole minutes or seconds.
pub(super) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

/// Several times as long as the longest request, or not much longer than one that takes very long.
fn beyond(longest: Duration) -> Duration {
    let long = longest.mul_f64(LONGER_THAN_A_REQUEST);
    long.min(LONG_WINDOW.max(longest.mul_f64(LONGER_THAN_A_LONG_REQUEST)))
}

/// Requests of a window of an open loop. Of a service that is called rarely they are fewer than percentiles would
/// want, so that the window ends; where classes cannot have their shares, they come close to them.
fn requests(service: &ServiceProfile, rate: u64, profile: Profile, longest: Duration) -> u64 {
    let in_time = |time: Duration| (rate as f64 * time.as_secs_f64()) as u64;
    let window = window(profile).max(beyond(longest));
    let most = in_time(longest_window(profile));
    let requests = in_time(window).max(LEAST_REQUESTS.min(most)).max(1);
    let shares: Vec<_> = service.classes.iter().map(|class| class.per_mille).collect();
    closest_to_shares(&shares, requests)
}

/// The length of a step of the search for the capacity.
fn step(service: &ServiceProfile, profile: Profile, longest: Duration) -> Duration {
    let shortest = Duration::from_millis(match profile {
        Profile::Smoke => 25,
        Profile::Quick => 500,
        Profile::Standard => 1_000,
        Profile::Thorough => 2_000,
    });
    let computing = service.mean_cpu() * COMPUTED_IN_A_STEP;
    shortest.max(beyond(longest)).max(computing).min(LONGEST_STEP)
}

/// How long the load generator will make such a step.
fn actual_step(service: &ServiceProfile, step: Duration) -> Duration {
    let computing = service.classes.iter().map(|class| class.cpu).max().unwrap_or_default();
    let shares = service.classes.iter().map(|class| class.per_mille);
    let rarest = shares.filter(|share| *share > 0).min().unwrap_or(1_000);
    let requests = OF_THE_RAREST as u32 * 1_000 / rarest;
    // At the rate that is asked for; without one, at what these clients come to.
    let time_of_each = match service.load.rate {
        Some(rate) => Duration::from_secs(1).div_f64(rate as f64),
        None => {
            let clients = service.load.connections as f64;
            service.mean_cpu().max((service.mean_wait() + service.mean_cpu()).div_f64(clients))
        }
    };
    step_length(step, computing).max(time_of_each * requests)
}

/// How long a window of an open loop is.
fn window(profile: Profile) -> Duration {
    Duration::from_millis(match profile {
        Profile::Smoke => 200,
        Profile::Quick => 2_000,
        Profile::Standard => 4_000,
        Profile::Thorough => 8_000,
    })
}

/// How long a window is at most to hold enough requests.
fn longest_window(profile: Profile) -> Duration {
    Duration::from_secs(match profile {
        Profile::Smoke => 5,
        Profile::Quick => 20,
        Profile::Standard => 60,
        Profile::Thorough => 180,
    })
}
