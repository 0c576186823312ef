//! What is asked of Linux: usage, limits, signals. A port to another system touches this folder only.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::time::{TimeSpec, TimeVal};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::protocol::Usage;

mod cgroup;
pub(crate) mod killed;
pub mod limits;

pub use limits::{
    check_connections, check_threads, connections_that_fit, memory_available_bytes,
    threads_that_fit,
};

/// What this process, all its threads together, has used since it began.
pub fn usage() -> Option<Usage> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    Some(Usage {
        user_ns: nanoseconds(usage.user_time()),
        system_ns: nanoseconds(usage.system_time()),
        voluntary_switches: usage.voluntary_context_switches().try_into().ok()?,
        involuntary_switches: usage.involuntary_context_switches().try_into().ok()?,
    })
}

fn nanoseconds(time: TimeVal) -> u64 {
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_usec() * 1_000).unwrap_or(0)
}

/// What this process and all its children that have ended have used.
pub fn usage_with_children() -> Option<Usage> {
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let own = usage()?;
    Some(Usage {
        user_ns: own.user_ns + nanoseconds(children.user_time()),
        system_ns: own.system_ns + nanoseconds(children.system_time()),
        ..own
    })
}

/// The CPUs that the calling thread may use, going up.
pub fn allowed_cpus() -> Option<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    Some((0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true)).collect())
}

/// Has the calling thread use one CPU only; processes and threads that it starts inherit that.
///
/// # Errors
/// If the system refuses, such as for a CPU that there is not.
pub fn pin_to(cpu: usize) -> io::Result<()> {
    let mut one = CpuSet::new();
    one.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}

/// As long as it is held, the calling thread uses one CPU only; what it starts meanwhile stays there.
#[derive(Debug)]
pub(crate) struct Pinned(CpuSet);

impl Pinned {
    /// To the last CPU that the thread may use: the first gets more interrupts on many machines.
    pub(crate) fn to_one_cpu() -> io::Result<Self> {
        let before = sched_getaffinity(Pid::from_raw(0))?;
        let last = allowed_cpus().and_then(|cpus| cpus.last().copied());
        pin_to(last.ok_or_else(|| io::Error::other("no CPU is allowed"))?)?;
        Ok(Pinned(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.0);
    }
}

/// Threads that this process has now.
pub fn threads() -> Option<u64> {
    // A directory's link count is 2 plus its subdirectories: one system call however many threads.
    fs::metadata("/proc/self/task").ok()?.nlink().checked_sub(2)
}

/// Peak resident memory of this process (VmHWM) in bytes. Not `ru_maxrss`, which a child inherits.
pub fn peak_memory_bytes() -> Option<u64> {
    status_kib("/proc/self/status", "VmHWM:").map(|kib| kib * 1024)
}

/// Resident memory of another process in bytes.
pub(crate) fn resident_bytes(process: u32) -> Option<u64> {
    status_kib(&format!("/proc/{process}/status"), "VmRSS:").map(|kib| kib * 1024)
}

fn status_kib(path: &str, field: &str) -> Option<u64> {
    let status = fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What the last-level caches of all CPUs hold together, each counted once.
pub fn last_level_cache_bytes() -> Option<u64> {
    let mut caches = BTreeMap::new();
    for cpu in fs::read_dir("/sys/devices/system/cpu").ok()?.flatten() {
        let indices = fs::read_dir(cpu.path().join("cache")).into_iter().flatten().flatten();
        for index in indices {
            let read = |name| fs::read_to_string(index.path().join(name)).ok();
            let level = read("level").and_then(|level| level.trim().parse::<u32>().ok());
            let kib =
                read("size").and_then(|size| size.trim().strip_suffix('K')?.parse::<u64>().ok());
            if let (Some(level), Some(kib), Some(shared)) = (level, kib, read("shared_cpu_list")) {
                caches.insert((level, shared), kib * 1024);
            }
        }
    }
    let (last, _) = caches.keys().next_back()?;
    let of_last = caches.iter().filter(|((level, _), _)| level == last);
    Some(of_last.map(|(_, bytes)| bytes).sum())
}

/// Raises the soft limit on open files to the hard one and returns it.
pub fn raise_file_limit() -> Option<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok()?;
    Some(hard)
}

/// Sees to it that this process is killed when its parent's calling thread ends.
pub fn die_with_parent() {
    // Failing is harmless: the worker then ends with its standard input.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
}

/// Has the kernel end another process before this program where memory runs out, so that a worker that takes
/// too much is what dies of it.
pub(crate) fn sacrifice(process: u32) {
    // proc_pid_oom_score_adj(5): to give up more than one has needs no privilege.
    let _ = fs::write(format!("/proc/{process}/oom_score_adj"), "1000");
}

/// Has the system wake this process, all threads that it has, before others, as far as it may: a load
/// generator stands for clients that would be on other machines. Threads and processes that are started
/// afterwards inherit it. Short slices need no privilege, a higher priority does.
pub fn prefer_this_process() {
    // `struct sched_attr` of sched_setattr(2), version 0: the slice of a normal thread is its runtime.
    #[repr(C)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime_ns: u64,
        deadline_ns: u64,
        period_ns: u64,
    }
    let attributes = |nice| Attributes {
        size: size_of::<Attributes>() as u32,
        policy: 0,
        flags: 0,
        nice,
        priority: 0,
        runtime_ns: 100_000,
        deadline_ns: 0,
        period_ns: 0,
    };
    let prefer = |thread: libc::pid_t| {
        for nice in [-15, 0] {
            let attributes = attributes(nice);
            #[expect(
                unsafe_code,
                reason = "the attributes live and are of the size that they state"
            )]
            let done =
                unsafe { libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0) };
            if done == 0 {
                return;
            }
        }
    };
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok()).for_each(prefer);
}

/// How a child has ended, if it has. It is not reaped, so that its id is still its own.
pub(crate) fn how_ended(child: u32) -> io::Result<Option<WaitStatus>> {
    let status = wait(child, WaitPidFlag::WNOHANG)?;
    Ok(Some(status).filter(|status| *status != WaitStatus::StillAlive))
}

/// Waits until a child has ended, and does not reap it.
pub(crate) fn await_end(child: u32) -> io::Result<()> {
    wait(child, WaitPidFlag::empty()).map(|_| ())
}

fn wait(child: u32, how: WaitPidFlag) -> io::Result<WaitStatus> {
    let id = Pid::from_raw(child.try_into().map_err(io::Error::other)?);
    Ok(waitid(Id::Pid(id), how | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?)
}

/// A name for a folder that can be written as text, as long as this is held and this process lives: its own,
/// or that of the open folder below `/proc`.
#[derive(Debug)]
pub(crate) struct TextPath {
    text: String,
    _open: Option<fs::File>,
}

impl TextPath {
    /// Opens the folder if it needs another name.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        if let Some(text) = folder.to_str() {
            return Ok(TextPath { text: text.to_owned(), _open: None });
        }
        let open = fs::File::open(folder)?;
        let text = format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd());
        Ok(TextPath { text, _open: Some(open) })
    }

    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }
}

/// Has `act` called, on a thread of its own, for each SIGINT and SIGTERM, and for each SIGHUP unless this process
/// was started with that ignored, as `nohup` does. Threads that exist already would still be interrupted; processes
/// that are started are not concerned.
///
/// # Errors
/// If there are no threads left.
pub(crate) fn on_interrupt(act: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    if !is_hang_up_ignored() {
        signals.add(Signal::SIGHUP);
    }
    signals.thread_block()?;
    let wait = move || {
        while signals.wait().is_ok() {
            act();
        }
    };
    thread::Builder::new().name("interrupt".into()).spawn(wait).map(drop)
}

fn is_hang_up_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Kills every process of a group that [`std::os::unix::process::CommandExt::process_group`] made.
pub(crate) fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        // It may be gone already, which is what is wanted.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

/// Sets an environment variable that a runtime reads when it starts.
///
/// # Errors
/// If the process has more than one thread: reading and writing the environment would then race.
pub fn set_env(key: &str, value: &str) -> io::Result<()> {
    if threads() != Some(1) {
        return Err(io::Error::other(format!("{key} must be set before any thread is started")));
    }
    #[expect(unsafe_code, reason = "no other thread exists that could read the environment")]
    unsafe {
        std::env::set_var(key, value);
    }
    Ok(())
}

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

/// Looks at the number of threads every millisecond until it is stopped.
#[derive(Debug)]
pub(crate) struct ThreadWatch {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    watcher: thread::JoinHandle<()>,
}

impl ThreadWatch {
    pub(crate) fn start() -> io::Result<Self> {
        let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let watcher = {
            let (stop, peak) = (Arc::clone(&stop), Arc::clone(&peak));
            thread::Builder::new().name("thread-watch".into()).spawn(move || {
                while !stop.load(Relaxed) {
                    // Not counting this one.
                    peak.fetch_max(threads().unwrap_or(1) - 1, Relaxed);
                    thread::sleep(Duration::from_millis(1));
                }
            })?
        };
        Ok(ThreadWatch { stop, peak, watcher })
    }

    /// The most threads seen, without the watcher.
    pub(crate) fn stop(self) -> Option<u64> {
        self.stop.store(true, Relaxed);
        self.watcher.join().ok()?;
        Some(self.peak.load(Relaxed)).filter(|&peak| peak > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::sync::Barrier;
    use std::time::Instant;

    use super::*;

    #[test]
    fn usage_counts_cpu_time_and_the_switches_of_a_wait() {
        let before = usage().unwrap();
        let mut sum = 0_u64;
        for i in 0..20_000_000_u64 {
            sum = sum.wrapping_add(std::hint::black_box(i));
        }
        std::hint::black_box(sum);
        thread::sleep(Duration::from_millis(2));
        let used = usage().unwrap().since(&before);
        assert!(used.cpu_ns() > 0);
        assert!(used.voluntary_switches > 0);
    }

    #[test]
    fn what_is_started_while_pinned_stays_on_one_cpu() {
        let allowed_in_a_child = || {
            let status =
                std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
            let status = String::from_utf8(status.stdout).unwrap();
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            list.unwrap().trim().to_owned()
        };
        let (before, free) = (allowed_cpus().unwrap(), allowed_in_a_child());
        let pinned = Pinned::to_one_cpu().unwrap();
        let last = *before.last().unwrap();
        assert_eq!(allowed_cpus().unwrap(), [last]);
        assert_eq!(allowed_in_a_child(), last.to_string());
        drop(pinned);
        assert_eq!(allowed_cpus().unwrap(), before);
        assert_eq!(allowed_in_a_child(), free);
    }

    #[test]
    fn the_watch_sees_threads_that_end_before_it_does() {
        let watch = ThreadWatch::start().unwrap();
        // More than all tests that run beside this one have together.
        let seen = Barrier::new(301);
        thread::scope(|scope| {
            for _ in 0..300 {
                scope.spawn(|| seen.wait());
            }
            let patience = Instant::now() + Duration::from_mins(1);
            while watch.peak.load(Relaxed) < 300 && Instant::now() < patience {
                thread::yield_now();
            }
            seen.wait();
        });
        assert!(watch.stop().unwrap() >= 300);
    }

    #[test]
    #[ignore = "needs root, and makes all threads of the test process preferred"]
    fn a_process_is_preferred_with_threads_that_it_has_already() {
        let (id, done) = (Barrier::new(2), Barrier::new(2));
        let thread_id = AtomicU64::new(0);
        let nice = |thread: u64| -> i64 {
            let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap();
            let fields = stat.rsplit(')').next().unwrap();
            // proc_pid_stat(5), field 19, of which the first two are before the bracket.
            fields.split_whitespace().nth(16).unwrap().parse().unwrap()
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                thread_id.store(nix::unistd::gettid().as_raw() as u64, Relaxed);
                id.wait();
                done.wait();
            });
            id.wait();
            prefer_this_process();
            let seen = nice(thread_id.load(Relaxed));
            done.wait();
            assert_eq!(seen, -15);
        });
    }

    #[test]
    fn a_folder_whose_name_is_no_text_can_be_reached_by_one_that_is() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join(OsStr::from_bytes(b"caf\xe9"));
        fs::create_dir(&folder).unwrap();
        let path = TextPath::of(&folder).unwrap();
        fs::write(Path::new(&path.text()).join("file"), "here").unwrap();
        assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "here");
        let plain = TextPath::of(parent.path()).unwrap();
        assert_eq!(Path::new(&plain.text()), parent.path());
    }

    #[test]
    fn peak_memory_is_known_on_linux() {
        assert!(peak_memory_bytes().unwrap() > 100_000);
    }
}
