//! How much an effort measures: when it judges, and for how long it measures.

use std::time::Duration;

use judge::{ARCHITECTURE_MARGIN, Design};
use workloads::Profile;

use crate::plan::Purpose;

/// After how many rounds a profile judges, and by what margin. Found by simulation: docs/src/method.md has the error
/// rates.
pub fn design(profile: Profile, purpose: Purpose) -> Design {
    let design = match (profile, purpose) {
        (Profile::Smoke, _) => Design::once(2),
        // A map has many points, and what is close in one of them matters little.
        (Profile::Quick, Purpose::Map) => Design::once(3),
        (Profile::Quick, _) => Design::quick(),
        (Profile::Standard, _) => Design::standard(),
        (Profile::Thorough, _) => Design::thorough(),
    };
    if purpose == Purpose::Comparison { design } else { design.with_margin(ARCHITECTURE_MARGIN) }
}

/// What a quick decision takes for measuring a service as described.
const DESCRIBED_BUDGET: Duration = Duration::from_secs(210);

/// Time that a profile takes for measuring, where none is given; `None` where it has no end but its rounds.
pub fn budget(profile: Profile, purpose: Purpose, described_only: bool) -> Option<Duration> {
    match (profile, purpose) {
        (Profile::Quick, Purpose::Comparison) => Some(Duration::from_secs(285)),
        (Profile::Quick, Purpose::Decision) if described_only => Some(DESCRIBED_BUDGET),
        (Profile::Quick, _) => Some(Duration::from_mins(9)),
        (Profile::Standard, Purpose::Comparison) => Some(Duration::from_mins(15)),
        (Profile::Standard, _) => Some(Duration::from_mins(25)),
        (Profile::Smoke | Profile::Thorough, _) => None,
    }
}
