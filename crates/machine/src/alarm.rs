//! A timer for readiness loops.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// A timer that wakes a readiness loop to the microsecond, where the loop's own time-out is rounded up to
/// a millisecond.
#[derive(Debug)]
pub struct Alarm(TimerFd);

impl Alarm {
    /// A timer that is not set.
    ///
    /// # Errors
    /// If there are no file descriptors left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Alarm(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?))
    }

    /// Makes the loop wake with that token when the timer ends.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let descriptor = self.0.as_fd().as_raw_fd();
        registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)
    }

    /// Sets the timer to end after `left`, instead of when it would have.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn set(&self, left: Duration) -> io::Result<()> {
        // Nothing left would switch the timer off.
        let left = TimeSpec::from_duration(left.max(Duration::from_nanos(1)));
        Ok(self.0.set(Expiration::OneShot(left), TimerSetTimeFlags::empty())?)
    }
}
