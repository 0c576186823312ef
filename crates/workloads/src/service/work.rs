//! What one request asks for, as a target and as the right body.

use std::time::Duration;

use super::burn;
use crate::http::Status;

/// Longest wait that a request may ask for.
pub const MAX_WAIT: Duration = Duration::from_secs(60);
/// Most units of computing that a request may ask for; about a second.
pub const MAX_UNITS: u32 = 1_000_000;
/// Largest answer that a request may ask for, bytes.
pub const MAX_SIZE: u32 = 1 << 20;
/// Smallest answer: the digest in hexadecimal digits.
pub const MIN_SIZE: u32 = 16;
/// From here on computing holds up a thread that has others to serve: tokio's documentation
/// gives 10 to 100 µs between two awaits, and a unit takes about one.
const LONG_UNITS: u32 = 100;

/// How a handler does its waiting and computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dispatch {
    /// As the strategy recommends it for such work.
    #[default]
    Auto,
    /// Waits on the model's timer, computes in the handler.
    Await,
    /// Blocks in the handler.
    Inline,
    /// Blocks on the runtime's own pool for blocking calls.
    Blocking,
    /// Blocks on a pool of bounded size.
    Pool,
    /// Waits on the model's timer, computes on a rayon pool.
    Rayon,
    /// A wait that is a blocking call without an asynchronous form: as the strategy recommends it for these.
    Call,
}

impl Dispatch {
    const ALL: [Dispatch; 7] = [
        Dispatch::Auto,
        Dispatch::Await,
        Dispatch::Inline,
        Dispatch::Blocking,
        Dispatch::Pool,
        Dispatch::Rayon,
        Dispatch::Call,
    ];

    /// The word in a request's target.
    pub fn word(self) -> &'static str {
        match self {
            Dispatch::Auto => "auto",
            Dispatch::Await => "await",
            Dispatch::Inline => "inline",
            Dispatch::Blocking => "blocking",
            Dispatch::Pool => "pool",
            Dispatch::Rayon => "rayon",
            Dispatch::Call => "call",
        }
    }
}

/// What one request asks for. The default is a trivial handler: nothing to wait for or to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How long the handler waits.
    pub wait: Duration,
    /// How much it computes after that, in units of [`burn`].
    pub units: u32,
    /// Size of the answer in bytes.
    pub size: u32,
    /// What the answer's digest is computed from.
    pub seed: u64,
    /// How the handler is dispatched.
    pub dispatch: Dispatch,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            wait: Duration::ZERO,
            units: 0,
            size: MIN_SIZE,
            seed: 0,
            dispatch: Dispatch::default(),
        }
    }
}

impl Work {
    /// Reads the target of a request, such as `/?wait_us=5000&units=10&size=64&seed=7&via=pool`.
    ///
    /// # Errors
    /// 404 for another path, 400 for an unknown key or a value out of range.
    pub fn of_target(target: &str) -> Result<Self, Status> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != "/" {
            return Err(Status::NOT_FOUND);
        }
        let mut work = Work::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(Status::BAD_REQUEST)?;
            let number = |most: u64| match value.parse::<u64>() {
                Ok(number) if number <= most => Ok(number),
                _ => Err(Status::BAD_REQUEST),
            };
            match key {
                "wait_us" => {
                    work.wait = Duration::from_micros(number(MAX_WAIT.as_micros() as u64)?);
                }
                "units" => work.units = number(u64::from(MAX_UNITS))? as u32,
                "size" => work.size = (number(u64::from(MAX_SIZE))? as u32).max(MIN_SIZE),
                "seed" => work.seed = number(u64::MAX)?,
                "via" => {
                    let known = Dispatch::ALL.into_iter().find(|way| way.word() == value);
                    work.dispatch = known.ok_or(Status::BAD_REQUEST)?;
                }
                _ => return Err(Status::BAD_REQUEST),
            }
        }
        Ok(work)
    }

    /// The target that asks for this.
    pub fn target(&self) -> String {
        if *self == Work::default() {
            return "/".to_owned();
        }
        let Work { wait, units, size, seed, dispatch } = self;
        let (wait, via) = (wait.as_micros(), dispatch.word());
        format!("/?wait_us={wait}&units={units}&size={size}&seed={seed}&via={via}")
    }

    /// Whether it computes for so long that a thread with others to serve should not do it.
    pub fn computes_long(&self) -> bool {
        self.units > LONG_UNITS
    }

    /// Computes on the calling thread and returns the digest of the answer.
    pub fn compute(&self) -> u64 {
        burn(self.seed, self.units)
    }

    /// The right body.
    pub fn body(&self) -> Vec<u8> {
        self.body_with(self.compute())
    }

    /// The body that holds what [`compute`](Work::compute) has returned.
    pub fn body_with(&self, answer: u64) -> Vec<u8> {
        let mut body = Vec::new();
        write_body(&mut body, self.size, answer);
        body
    }
}

pub(super) fn write_body(body: &mut Vec<u8>, size: u32, digest: u64) {
    const FILLING: [u8; 1024] = [b'.'; 1024];
    for shift in (0..16).rev() {
        body.push(b"0123456789abcdef"[(digest >> (4 * shift)) as usize & 15]);
    }
    let mut left = size.saturating_sub(MIN_SIZE) as usize;
    while left > 0 {
        let piece = left.min(FILLING.len());
        body.extend_from_slice(&FILLING[..piece]);
        left -= piece;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_survives_its_text() {
        let work = Work {
            wait: Duration::from_millis(5),
            units: 7,
            size: 100,
            seed: 3,
            dispatch: Dispatch::Rayon,
        };
        assert_eq!(Work::of_target(&work.target()), Ok(work));
        assert_eq!(Work::of_target("/"), Ok(Work::default()));
        assert_eq!(Work::of_target("/x"), Err(Status::NOT_FOUND));
        for bad in
            ["/?units=1000001", "/?wait_us=-1", "/?via=magic", "/?seed", "/?colour=1", "/?size="]
        {
            assert_eq!(Work::of_target(bad), Err(Status::BAD_REQUEST), "{bad}");
        }
    }

    #[test]
    fn the_answer_depends_on_seed_and_units_and_has_the_size_asked_for() {
        let work = Work { units: 2, size: 50, seed: 1, ..Work::default() };
        let body = work.body();
        assert_eq!(body.len(), 50);
        assert_eq!(body[16..], [b'.'; 34]);
        assert_ne!(body, Work { seed: 2, ..work }.body());
        assert_ne!(body, Work { units: 3, ..work }.body());
    }
}
