//! A process that answers line by line: started in a group of its own, held to deadlines, bounded in what
//! it may print, and killed with everything it started.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;

use machine::{Kills, how_killed};
use protocol::{Failure, FailureKind, Reply, Request, from_line, to_line};

/// The subcommand under which a strategy's program speaks the protocol.
pub const CELL: &str = "cell";
/// The subcommand under which a program is what stands beside a strategy: oracle, load generator, backend.
pub const PEER: &str = "peer";
/// Longest reply taken from a worker, in bytes.
const MAX_LINE: u64 = 4 << 20;
/// Variables of the caller's shell that would tune one runtime and not the others.
pub const TUNING: [&str; 5] = [
    "ASYNC_STD_THREAD_COUNT",
    "BLOCKING_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "SMOL_THREADS",
    "TOKIO_WORKER_THREADS",
];
const LAST_WORDS: usize = 2048;
const GRACE: Duration = Duration::from_secs(1);

static STOPPED: AtomicBool = AtomicBool::new(false);
static LIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Kills every process that was started here and lets no further visit succeed: for Ctrl-C.
pub fn stop() {
    STOPPED.store(true, SeqCst);
    for &leader in live().iter() {
        machine::kill_group(leader);
    }
}

/// Whether [`stop`] has been called; what a visit returned meanwhile is to be thrown away.
pub fn stopped() -> bool {
    STOPPED.load(SeqCst)
}

fn live() -> MutexGuard<'static, BTreeSet<u32>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process group that [`stop`] kills, as long as this is held. It has to [reap](Self::reap) its leader:
/// from then on the system may give the id to another.
#[derive(Debug)]
pub struct Live(u32);

impl Live {
    /// Takes in the group that `leader` leads.
    pub fn new(leader: u32) -> Self {
        live().insert(leader);
        if stopped() {
            machine::kill_group(leader);
        }
        Live(leader)
    }

    /// Waits for the leader, which is `process`, and reaps it.
    ///
    /// # Errors
    /// If the system does not know the process.
    pub fn reap(self, process: &mut std::process::Child) -> io::Result<ExitStatus> {
        machine::await_end(process.id())?;
        drop(self);
        process.wait()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        live().remove(&self.0);
    }
}

enum Event {
    Line(String),
    TooLong,
    NotText,
}

/// A process in a group of its own that answers line by line.
pub(crate) struct Child {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    replies: mpsc::Receiver<Event>,
    last_words: Arc<Mutex<Vec<u8>>>,
    listener: thread::JoinHandle<()>,
    /// The group, until the end.
    live: Option<Live>,
    /// What is said of it where it fails: nothing of a worker, which the row is about.
    role: &'static str,
    /// What the kernel had killed for want of memory when it was started.
    kills: Kills,
}

impl Child {
    /// Starts a strategy's program.
    pub(crate) fn worker(program: &Path) -> io::Result<Self> {
        Child::start(program, CELL, "")
    }

    /// Starts what stands beside a strategy, as `role`, such as `the oracle`.
    pub(crate) fn peer(program: &Path, role: &'static str) -> io::Result<Self> {
        Child::start(program, PEER, role)
    }

    fn start(program: &Path, subcommand: &str, role: &'static str) -> io::Result<Self> {
        let kills = Kills::so_far();
        let mut command = Command::new(program);
        for variable in TUNING {
            command.env_remove(variable);
        }
        command
            .arg(subcommand)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut process = spawn(&mut command).map_err(|error| {
            io::Error::other(format!("cannot start {}: {error}", program.display()))
        })?;
        let live = Live::new(process.id());
        machine::sacrifice(process.id());
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().expect("standard output is piped");
        let stderr = process.stderr.take().expect("standard error is piped");
        let (sender, replies) = mpsc::sync_channel(1);
        let last_words = Arc::new(Mutex::new(Vec::new()));
        let words = Arc::clone(&last_words);
        // Neither thread is joined: a descendant that left the group may hold the pipe open.
        let listener = thread::Builder::new()
            .spawn(move || read_replies(stdout, &sender))
            .and_then(|_| thread::Builder::new().spawn(move || keep_tail(stderr, &words)));
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                machine::kill_group(process.id());
                let _ = live.reap(&mut process);
                return Err(io::Error::other(format!("cannot start a thread: {error}")));
            }
        };
        let live = Some(live);
        Ok(Child { process, stdin, replies, last_words, listener, live, role, kills })
    }

    /// The id of the process, which is that of its group.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn ask(&mut self, request: &Request, deadline: Instant) -> Result<Reply, Failure> {
        let asked = Instant::now();
        let stdin = self.stdin.as_mut().expect("standard input stays open while asking");
        if writeln!(stdin, "{}", to_line(request)).and_then(|()| stdin.flush()).is_err() {
            return Err(self.ended_early());
        }
        let broken = |reason: String| Failure::new(FailureKind::Crashed, reason);
        match self.replies.recv_timeout(deadline.saturating_duration_since(asked)) {
            Ok(Event::Line(line)) => {
                from_line(&line).map_err(|reason| broken(format!("printed {reason}")))
            }
            Ok(Event::TooLong) => {
                Err(broken(format!("printed more than {} MiB in one line", MAX_LINE >> 20)))
            }
            Ok(Event::NotText) => Err(broken("printed bytes that are not UTF-8 text".to_owned())),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                machine::kill_group(self.process.id());
                let waited = asked.elapsed().as_secs_f64();
                let reason =
                    self.of_role(&format!("no answer within {waited:.1} s; it was killed"));
                Err(Failure::new(FailureKind::Timeout, reason))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.ended_early()),
        }
    }

    fn ended_early(&mut self) -> Failure {
        self.obituary().unwrap_or_else(|| {
            Failure::new(FailureKind::Crashed, "closed its standard output before it answered")
        })
    }

    /// A sentence about this process, which names it where it is not the worker.
    fn of_role(&self, sentence: &str) -> String {
        if self.role.is_empty() { sentence.to_owned() } else { format!("{} {sentence}", self.role) }
    }

    /// How the process ended, if it has or does so soon.
    pub(crate) fn obituary(&mut self) -> Option<Failure> {
        let how = match self.wait(Duration::from_millis(200))? {
            WaitStatus::Exited(_, code) => format!("exited with code {code} before it answered"),
            WaitStatus::Signaled(_, Signal::SIGKILL, _) => how_killed(&self.kills),
            WaitStatus::Signaled(_, signal, _) => {
                let name = signal.as_str();
                format!("was killed by signal {} ({name}) before it answered", signal as i32)
            }
            other => format!("ended ({other:?}) before it answered"),
        };
        let mut reason = self.of_role(&how);
        // Its last words may still be on their way, unless a descendant holds the pipe open.
        let deadline = Instant::now() + GRACE;
        while !self.listener.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&words);
        let words = words.split("stack backtrace:").next().unwrap_or_default();
        if !words.trim().is_empty() {
            let words: Vec<_> = words.split_whitespace().collect();
            let words: String = words.join(" ").chars().take(300).collect();
            reason = format!("{reason}; it said: {words}");
        }
        Some(Failure::new(FailureKind::Crashed, reason))
    }

    /// Waits for the process to end, without reaping it: until then its id, and that of its group, are its own.
    fn wait(&self, patience: Duration) -> Option<WaitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            match machine::how_ended(self.process.id()) {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_micros(200)),
                _ => return None,
            }
        }
    }
}

/// Starts a process. A file that was written a moment ago can still be busy, because whoever was forked
/// meanwhile holds it open until it has started its own program.
fn spawn(command: &mut Command) -> io::Result<std::process::Child> {
    let deadline = Instant::now() + GRACE;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(2));
            }
            other => return other,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A worker ends when its standard input closes; whatever does not, or leaves others behind, is
        // killed with its group.
        drop(self.stdin.take());
        self.wait(GRACE);
        if let Some(live) = self.live.take() {
            machine::kill_group(self.process.id());
            let _ = live.reap(&mut self.process);
        }
    }
}

fn read_replies(stdout: impl Read, sender: &mpsc::SyncSender<Event>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match stdout.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let event = if line.len() as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            Event::TooLong
        } else {
            String::from_utf8(line).map_or(Event::NotText, Event::Line)
        };
        let go_on = matches!(event, Event::Line(_));
        if sender.send(event).is_err() || !go_on {
            return;
        }
    }
}

fn keep_tail(mut stderr: impl Read, tail: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&buffer[..count]);
        let excess = tail.len().saturating_sub(LAST_WORDS);
        tail.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(body: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    #[test]
    fn how_a_process_ended_is_told_while_its_id_is_still_its_own() {
        for (body, role, told) in [
            ("exit 7", "", "exited with code 7 before it answered"),
            ("kill -9 $$", "", "was killed by signal 9 (SIGKILL) before it answered"),
            ("kill -6 $$", "the oracle", "the oracle was killed by signal 6 (SIGABRT) before"),
        ] {
            let (_folder, program) = script(body);
            let mut child = Child::start(&program, "cell", role).unwrap();
            let failure = loop {
                if let Some(failure) = child.obituary() {
                    break failure;
                }
            };
            assert!(failure.reason.starts_with(told), "{failure:?}");
            let state = fs::read_to_string(format!("/proc/{}/stat", child.process.id())).unwrap();
            assert!(state.contains(") Z "), "it is not reaped: {state}");
        }
    }

    #[test]
    fn where_memory_runs_out_a_worker_is_what_dies() {
        let (_folder, program) = script("read -r line");
        let child = Child::worker(&program).unwrap();
        let score = format!("/proc/{}/oom_score_adj", child.process.id());
        assert_eq!(fs::read_to_string(score).unwrap().trim(), "1000");
    }
}
