//! `host.json`: the machine and the tools that the numbers depend on.

use std::collections::BTreeMap;

use machine::Calibration;
use serde::{Deserialize, Serialize};

use crate::program::{Executable, Origin};

/// What the numbers depend on besides the code. A figure that the system does not give is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Host {
    /// Version of the file.
    pub schema: u32,
    /// Name of the CPU.
    pub cpu: Option<String>,
    /// Numbers of the CPU's model and revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_signature: Option<String>,
    /// CPUs that are online.
    pub cpus_online: Option<usize>,
    /// CPUs that the affinity mask and the control group allow.
    pub cpus_allowed: Option<usize>,
    /// CPU time that the control group allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<CpuQuota>,
    /// The hypervisor; `none` on bare metal.
    pub virtualisation: Option<String>,
    /// How the kernel chooses the CPUs' frequency; `none` where it cannot.
    pub governor: Option<String>,
    /// Memory that the machine has and the control group allows.
    pub memory_bytes: Option<u64>,
    /// Release of the Linux kernel.
    pub kernel: Option<String>,
    /// The C library that programs are linked with when they start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_library: Option<String>,
    /// Type of the file system on which workloads read and write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system: Option<String>,
    /// Load average when the run began.
    pub load_average: Option<String>,
    /// Variables that change how programs allocate, link or size their pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, String>>,
    /// The limits that bound how much can be concurrent.
    pub limits: Limits,
    /// BLAKE3 of the harness, which generates load, stands for backends and knows the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_blake3: Option<String>,
    /// Whether the run has built its programs, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What the strategies' executables tell of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs: Option<BTreeMap<String, Executable>>,
    /// The compiler; this and what follows only of programs that the run has built.
    pub rustc: Option<String>,
    /// The commit.
    pub git_revision: Option<String>,
    /// Whether files differed from it.
    pub git_modified: Option<bool>,
    /// BLAKE3 of `Cargo.lock`.
    pub lock_file_blake3: Option<String>,
    /// Versions of the crates under comparison, from `Cargo.lock`.
    pub versions: BTreeMap<String, String>,
    /// The memory allocator.
    pub allocator: String,
    /// What elementary things cost, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// The limits that bound how much can be concurrent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// Connections that one process can have.
    pub connections_per_process: Option<u64>,
    /// Threads that one process can have.
    pub threads_per_process: Option<u64>,
    /// `kernel.threads-max`.
    pub kernel_threads_max: Option<u64>,
    /// `kernel.pid_max`.
    pub kernel_pid_max: Option<u64>,
    /// `vm.max_map_count`.
    pub vm_max_map_count: Option<u64>,
}

/// CPU time that a control group allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CpuQuota {
    /// As much as the CPUs give.
    Unlimited,
    /// As much as so many CPUs would give.
    Cpus(f64),
}
