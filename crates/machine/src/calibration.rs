//! What elementary things cost on this machine. Which model wins often follows from these figures.

use std::hint::black_box;
use std::io;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use protocol::units;
use serde::{Deserialize, Serialize};

use protocol::median;

/// Batches of which the median is taken, so that a disturbance does not show.
const BATCHES: usize = 11;
/// Memory that is read for the bandwidth, where there is enough and caches are not larger than usual.
const BUFFER_BYTES: u64 = 256 << 20;
/// How many times the last-level caches it has to be at least, so that they hold little of it.
const TIMES_CACHE: u64 = 4;
/// The part of the memory that can be had, by which nothing is put at risk.
const PART: u64 = 4;

/// The figures; one that could not be measured is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Calibration {
    /// Reading the clock.
    pub clock_read_ns: Option<f64>,
    /// A system call that does nothing.
    pub system_call_ns: Option<f64>,
    /// Handing over to another thread on the same CPU, one way, through a pipe.
    pub switch_one_cpu_ns: Option<f64>,
    /// The same to a thread that sleeps on another CPU.
    pub wake_across_cpus_ns: Option<f64>,
    /// By how much the kernel may delay a timer to serve several at once.
    pub timer_slack_ns: Option<f64>,
    /// How much later than asked a sleep of 1 ms ends.
    pub sleep_overshoot_ns: Option<f64>,
    /// Starting a thread and waiting for its end.
    pub thread_start_ns: Option<f64>,
    /// Starting this program for nothing and waiting for its end.
    pub process_start_ns: Option<f64>,
    /// Reading memory, one thread.
    pub memory_bytes_per_s: Option<f64>,
    /// Of all allowed CPUs together.
    pub memory_all_bytes_per_s: Option<f64>,
}

impl Calibration {
    /// Takes about a second.
    pub fn measure(own_program: &Path) -> Self {
        let cpus = crate::allowed_cpus().unwrap_or_default();
        let first = cpus.first().copied();
        let (one, all) = memory(cpus.len().max(1)).unzip();
        Calibration {
            clock_read_ns: Some(each(10_000, Instant::now)),
            system_call_ns: Some(each(10_000, nix::unistd::getppid)),
            switch_one_cpu_ns: first.and_then(|cpu| hand_over(cpu, cpu).ok()),
            wake_across_cpus_ns: first
                .zip(cpus.get(1))
                .and_then(|(one, &other)| hand_over(one, other).ok()),
            timer_slack_ns: crate::activity::timer_slack_ns(),
            sleep_overshoot_ns: Some(sleep_overshoot()),
            thread_start_ns: thread_start().ok(),
            process_start_ns: process_start(own_program).ok(),
            memory_bytes_per_s: one,
            memory_all_bytes_per_s: all,
        }
    }

    /// Each figure with its name and unit, for a reader.
    pub fn lines(&self) -> [(&'static str, String); 10] {
        let time = |ns: Option<f64>| ns.map_or_else(|| "—".to_owned(), units::duration);
        let rate = |rate: Option<f64>| {
            rate.map_or_else(
                || "—".to_owned(),
                |rate| format!("{} GB/s", units::digits(rate / 1e9)),
            )
        };
        [
            ("reading the clock", time(self.clock_read_ns)),
            ("system call", time(self.system_call_ns)),
            ("switch on one CPU", time(self.switch_one_cpu_ns)),
            ("wake-up across CPUs", time(self.wake_across_cpus_ns)),
            ("timer slack", time(self.timer_slack_ns)),
            ("a sleep of 1 ms ends late by", time(self.sleep_overshoot_ns)),
            ("start of a thread", time(self.thread_start_ns)),
            ("start of a process", time(self.process_start_ns)),
            ("memory, one thread", rate(self.memory_bytes_per_s)),
            ("memory, all CPUs", rate(self.memory_all_bytes_per_s)),
        ]
    }
}

fn typical(mut batches: Vec<f64>) -> f64 {
    median(&mut batches).expect("there are batches")
}

/// Nanoseconds that something takes: the median of batches of `count`.
fn each<T>(count: u32, mut something: impl FnMut() -> T) -> f64 {
    let mut batch = || {
        let start = Instant::now();
        (0..count).for_each(|_| {
            black_box(something());
        });
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    batch();
    typical((0..BATCHES).map(|_| batch()).collect())
}

/// Half a round trip of a byte between two threads on these CPUs, nanoseconds.
fn hand_over(one: usize, other: usize) -> io::Result<f64> {
    const TRIPS: u32 = 200;
    let (mut there_out, mut there_in) = io::pipe()?;
    let (mut back_out, mut back_in) = io::pipe()?;
    let pass = |from: &mut PipeReader, to: &mut PipeWriter| -> io::Result<()> {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        to.write_all(&byte)
    };
    let echo = thread::Builder::new().spawn(move || {
        crate::pin_to(other)?;
        // Until the other side hangs up.
        while pass(&mut there_out, &mut back_in).is_ok() {}
        Ok::<_, io::Error>(())
    })?;
    let asker = thread::Builder::new().spawn(move || {
        crate::pin_to(one)?;
        let mut failed = None;
        let trip = each(TRIPS, || {
            let passed = there_in.write_all(&[0]).and_then(|()| back_out.read_exact(&mut [0]));
            failed = failed.take().or(passed.err());
        });
        failed.map_or(Ok(trip / 2.0), Err)
    })?;
    let time = asker.join().expect("nothing in it panics");
    echo.join().expect("nothing in it panics")?;
    time
}

/// Nanoseconds from starting a thread to having its end.
fn thread_start() -> io::Result<f64> {
    let mut failed = None;
    let time = each(50, || match thread::Builder::new().spawn(|| {}) {
        Ok(thread) => thread.join().expect("nothing in it panics"),
        Err(error) => failed = Some(error),
    });
    failed.map_or(Ok(time), Err)
}

fn sleep_overshoot() -> f64 {
    let asked = Duration::from_millis(1);
    let once = || {
        let start = Instant::now();
        thread::sleep(asked);
        start.elapsed().saturating_sub(asked).as_nanos() as f64
    };
    typical((0..5 * BATCHES).map(|_| once()).collect())
}

fn process_start(program: &Path) -> io::Result<f64> {
    let once = || {
        let start = Instant::now();
        Command::new(program).arg("--version").stdout(Stdio::null()).status()?;
        Ok(start.elapsed().as_nanos() as f64)
    };
    Ok(typical((0..BATCHES).map(|_| once()).collect::<io::Result<Vec<_>>>()?))
}

/// Bytes a second that one thread reads, and that all together do, each its own part.
fn memory(threads: usize) -> Option<(f64, f64)> {
    let bytes = buffer_bytes(crate::memory_available_bytes()?, crate::last_level_cache_bytes())?;
    let count = bytes as usize / size_of::<u64>();
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(count).ok()?;
    buffer.resize(count, 1_u64);
    let best = |threads: usize| {
        let pass = || {
            let start = Instant::now();
            thread::scope(|scope| {
                for part in buffer.chunks(buffer.len().div_ceil(threads)) {
                    thread::Builder::new().spawn_scoped(scope, || black_box(sum(part)))?;
                }
                Ok::<_, io::Error>(())
            })?;
            Ok::<_, io::Error>(start.elapsed().as_secs_f64())
        };
        let passes = (0..4).map(|_| pass()).collect::<io::Result<Vec<_>>>().ok()?;
        Some(bytes as f64 / passes.into_iter().fold(f64::INFINITY, f64::min))
    };
    Some((best(1)?, best(threads)?))
}

/// How much memory to read: less where less can be had, and none where caches would hold too much of it.
fn buffer_bytes(available: u64, caches: Option<u64>) -> Option<u64> {
    let least = caches.map_or(BUFFER_BYTES, |caches| TIMES_CACHE * caches);
    let bytes = least.max(BUFFER_BYTES).min(available / PART);
    (bytes >= least).then_some(bytes)
}

/// In several sums at once, so that no addition waits for the one before.
fn sum(part: &[u64]) -> u64 {
    let mut sums = [0_u64; 16];
    for chunk in part.chunks_exact(16) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_its_figures() {
        let figures = Calibration::measure(Path::new("true"));
        for figure in [figures.system_call_ns, figures.switch_one_cpu_ns, figures.thread_start_ns] {
            assert!(figure.unwrap() > 1.0, "{figures:?}");
        }
    }

    #[test]
    fn bandwidth_is_measured_in_what_memory_there_is_or_not_at_all() {
        let mib = |count: u64| count << 20;
        let of = |available, caches: Option<u64>| {
            buffer_bytes(mib(available), caches.map(mib)).map(|bytes| bytes >> 20)
        };
        assert_eq!(of(8_000, Some(32)), Some(256));
        assert_eq!(of(700, Some(32)), Some(175), "less than usual");
        assert_eq!(of(300, Some(32)), None, "caches would hold much of it");
        assert_eq!(of(8_000, Some(300)), Some(1_200), "large caches");
        assert_eq!((of(8_000, None), of(700, None)), (Some(256), None));
    }

    #[test]
    fn what_is_missing_is_shown_as_missing() {
        let figures = Calibration { system_call_ns: Some(120.0), ..Calibration::default() };
        let lines = figures.lines();
        assert!(lines.contains(&("system call", "120 ns".to_owned())));
        assert!(lines.contains(&("wake-up across CPUs", "—".to_owned())));
    }
}
