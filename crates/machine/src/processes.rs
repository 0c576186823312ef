//! Starting, watching and ending processes: signals, groups, and which process dies where memory runs out.

use std::fs;
use std::io;
use std::thread;

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// Sees to it that this process is killed when its parent's calling thread ends.
pub fn die_with_parent() {
    // Failing is harmless: the worker then ends with its standard input.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
}

/// Has the kernel end another process before this program where memory runs out, so that a worker that takes
/// too much is what dies of it.
pub fn sacrifice(process: u32) {
    // proc_pid_oom_score_adj(5): to give up more than one has needs no privilege.
    let _ = fs::write(format!("/proc/{process}/oom_score_adj"), "1000");
}

/// How a child has ended, if it has. It is not reaped, so that its id is still its own.
pub fn how_ended(child: u32) -> io::Result<Option<WaitStatus>> {
    let status = wait(child, WaitPidFlag::WNOHANG)?;
    Ok(Some(status).filter(|status| *status != WaitStatus::StillAlive))
}

/// Waits until a child has ended, and does not reap it.
pub fn await_end(child: u32) -> io::Result<()> {
    wait(child, WaitPidFlag::empty()).map(|_| ())
}

fn wait(child: u32, how: WaitPidFlag) -> io::Result<WaitStatus> {
    let id = Pid::from_raw(child.try_into().map_err(io::Error::other)?);
    Ok(waitid(Id::Pid(id), how | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?)
}

/// Has `act` called, on a thread of its own, for each SIGINT and SIGTERM, and for each SIGHUP unless this process
/// was started with that ignored, as `nohup` does. Threads that exist already would still be interrupted; processes
/// that are started are not concerned.
///
/// # Errors
/// If there are no threads left.
pub fn on_interrupt(act: impl Fn() + Send + 'static) -> io::Result<()> {
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
pub fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        // It may be gone already, which is what is wanted.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}
