//! `host.json`: the machine and the tools. Everything that is asked of Linux lies in this folder.

use record::host::{CpuQuota, Host, Limits};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::host::output::output;
use crate::programs;
use crate::programs::{Program, Source, workspace_root};
use record::SCHEMA;
use record::program::Origin;

mod output;
mod workspace;

/// Beginnings of the names of variables that programs inherit and that change what they do: of the C library
/// (`mallopt(3)`, `ld.so(8)`), of other allocators, of Rust's threads, and of what is compared.
const VARIABLES: [&str; 12] = [
    "ASYNC_GLOBAL_EXECUTOR_",
    "ASYNC_STD_",
    "BLOCKING_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "MALLOC_",
    "MIMALLOC_",
    "_RJEM_MALLOC_CONF",
    "RAYON_",
    "RUST_MIN_STACK",
    "SMOL_",
    "TOKIO_",
];

/// What is written where the system says that there is none, which is not the same as saying nothing.
const NONE: &str = "none";

/// Asks the system. Workloads read and write in `folder`.
pub(crate) fn observe(source: &Source, programs: &[Program], folder: &Path) -> Host {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let allowed = machine::limits::Limits::of_this_process();
    let executable = |program: &Program| (program.strategy.clone(), program.executable.clone());
    let mut host = Host {
        schema: SCHEMA,
        cpu: machine::cpu_model::name(&cpuinfo),
        cpu_signature: machine::cpu_model::signature(&cpuinfo),
        cpus_online: machine::cpus(),
        cpus_allowed: Some(allowed.workers()),
        cpu_quota: Some(allowed.cpu_quota.map_or(CpuQuota::Unlimited, CpuQuota::Cpus)),
        virtualisation: virtualisation(&cpuinfo),
        governor: governor(),
        // What there is, as far as a control group allows it.
        memory_bytes: [meminfo("MemTotal"), allowed.memory_limit].into_iter().flatten().min(),
        kernel: line("/proc/sys/kernel/osrelease"),
        c_library: c_library(),
        file_system: file_system(folder),
        load_average: line("/proc/loadavg"),
        environment: Some(environment(std::env::vars_os())),
        limits: Limits {
            connections_per_process: machine::connections_that_fit(),
            threads_per_process: machine::threads_that_fit(),
            kernel_threads_max: number("/proc/sys/kernel/threads-max"),
            kernel_pid_max: number("/proc/sys/kernel/pid_max"),
            vm_max_map_count: number("/proc/sys/vm/max_map_count"),
        },
        harness_blake3: own_hash(),
        programs: Some(programs.iter().map(executable).collect()),
        allocator: "the system's, for every strategy".to_owned(),
        ..Host::default()
    };
    let root = workspace_root();
    host.origin = source.origin(root.as_deref());
    if let (Some(Origin::Built(_)), Some(root)) = (&host.origin, &root) {
        workspace::note(&mut host, root);
    }
    host
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn meminfo(name: &str) -> Option<u64> {
    let text = field("/proc/meminfo", name)?;
    let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

fn number(path: &str) -> Option<u64> {
    line(path)?.parse().ok()
}

/// The value of `name: value` in a file of such lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn virtualisation(cpuinfo: &str) -> Option<String> {
    // It fails where there is none, and says so.
    let detected = Command::new("systemd-detect-virt").arg("--vm").output().ok();
    let detected = detected.and_then(|output| String::from_utf8(output.stdout).ok());
    let detected = detected.map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty());
    // Only x86 tells by itself.
    let told = || {
        let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
        let is_virtual = flags.split_whitespace().any(|flag| flag == "hypervisor");
        Some(if is_virtual { "a hypervisor" } else { NONE }.to_owned())
    };
    detected.clone().filter(|kind| kind != NONE).or_else(told).or(detected)
}

/// Virtual machines mostly have none.
fn governor() -> Option<String> {
    let folder = Path::new("/sys/devices/system/cpu");
    let frequency = folder.join("cpu0/cpufreq");
    match frequency.exists() {
        true => line(frequency.join("scaling_governor").to_str()?),
        false => folder.exists().then(|| NONE.to_owned()),
    }
}

/// Name and version, such as `glibc 2.41`; of musl the name.
fn c_library() -> Option<String> {
    let musl = || {
        let files = fs::read_dir("/lib").ok()?.flatten();
        let mut names = files.map(|file| file.file_name());
        names.any(|name| name.to_string_lossy().starts_with("ld-musl")).then(|| "musl".to_owned())
    };
    output("getconf", &["GNU_LIBC_VERSION"], None).or_else(musl)
}

fn file_system(folder: &Path) -> Option<String> {
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    machine::mounts::file_system(
        &fs::canonicalize(folder).ok()?,
        &String::from_utf8_lossy(&mountinfo),
    )
}

fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    variables
        .map(|(name, value)| [name, value].map(|text| text.to_string_lossy().into_owned()))
        .filter(|[name, _]| VARIABLES.iter().any(|known| name.starts_with(known)))
        .map(|[name, value]| (name, value))
        .collect()
}

fn own_hash() -> Option<String> {
    programs::hash(&std::env::current_exe().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is observed with these programs in a folder.
    fn observed(bin_dir: Option<std::path::PathBuf>) -> Host {
        let source = Source::new(bin_dir, Vec::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        observe(&source, &[], folder.path())
    }

    #[test]
    fn this_machine_tells_what_it_is() {
        let host = observed(None);
        assert!(host.kernel.is_some() && host.file_system.is_some() && host.governor.is_some());
        assert!(host.memory_bytes.unwrap() > 1 << 20);
        assert_eq!(host.harness_blake3.unwrap().len(), 64);
        assert!(host.versions.contains_key("tokio"), "{:?}", host.versions);
        let build = host.origin.as_ref().and_then(Origin::build).unwrap();
        assert!(build.rustflags.iter().any(|flag| flag.contains("align-all-functions")));
        assert_eq!(build.profile["package.workloads.codegen-units"], "1");
    }

    #[test]
    fn the_workspace_is_not_claimed_for_ready_built_programs() {
        let bin_dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/true", bin_dir.path().join("strategy-mine")).unwrap();
        let host = observed(Some(bin_dir.path().to_owned()));
        assert_eq!(host.origin, Some(Origin::ReadyBuilt));
        assert_eq!((host.git_revision, host.git_modified, host.rustc), (None, None, None));
        assert!(host.versions.is_empty() && host.lock_file_blake3.is_none());
    }

    #[test]
    fn variables_that_change_programs_are_noted_and_no_others() {
        let variables =
            [("LD_PRELOAD", "/lib/jemalloc.so"), ("MALLOC_ARENA_MAX", "1"), ("TOKEN", "x")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let noted = environment(variables.into_iter());
        assert_eq!(noted.keys().collect::<Vec<_>>(), ["LD_PRELOAD", "MALLOC_ARENA_MAX"]);
    }

    #[test]
    fn runs_without_the_newer_fields_stay_readable() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/reference-quick/host.json");
        let host: Host = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!((host.origin, host.file_system, host.cpu_quota), (None, None, None));
    }
}
