//! What this machine is and allows, and what a process on it uses: the one home of what only Linux has.

#[cfg(not(target_os = "linux"))]
compile_error!("only Linux is supported: CPU masks, control groups, /proc and timerfd are used");

mod activity;
mod alarm;
mod calibration;
mod cgroup;
pub mod cpu_model;
mod cpus;
mod environment;
mod files;
mod killed;
pub mod mounts;
mod priority;
mod processes;
mod thread_watch;
mod usage;

pub mod limits;

pub use activity::{Activity, Elapsed, cpus};
pub use alarm::Alarm;
pub use calibration::Calibration;
pub use cpus::{Pinned, allowed_cpus, last_level_cache_bytes, pin_to};
pub use environment::set_env;
pub use files::{TextPath, raise_file_limit};
pub use killed::{Kills, how_killed};
pub use limits::{
    check_connections, check_threads, connections_that_fit, memory_available_bytes,
    threads_that_fit,
};
pub use priority::prefer_this_process;
pub use processes::{await_end, die_with_parent, how_ended, kill_group, on_interrupt, sacrifice};
pub use thread_watch::ThreadWatch;
pub use usage::{peak_memory_bytes, resident_bytes, threads, usage, usage_with_children};
