//! How soon this process is woken.

use std::fs;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::thread;

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
}
