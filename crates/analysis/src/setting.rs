//! In what two runs differ besides what they have measured: programs, how these were made, and the machine.
//!
//! One list for all who ask: `compare` shows all of it, and what makes measurements incomparable keeps runs
//! from being pooled and a run from being resumed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::units;

use crate::run::Run;
use record::PlannedEntry;
use record::program::Origin;
use record::{CpuQuota, Host};

/// Digits of a hash that are shown.
const HASH_DIGITS: usize = 12;

/// In place of the hash of a strategy that a run does not have.
const ABSENT: &str = "absent";

/// With what, and on what, a run measures.
#[derive(Debug)]
pub struct Setting<'a> {
    /// Hashes by strategy.
    hashes: BTreeMap<&'a str, &'a str>,
    host: &'a Host,
}

/// Something in which runs can differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    name: String,
    /// Missing where a run does not know it.
    values: [Option<String>; 2],
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The code itself.
    Program,
    /// What the code was made of. Where programs are the same, it has made no difference.
    Making,
    /// How the code was made; of programs that are the same it need not be known.
    Build,
    /// What programs run on: measurements on different ones are not of the same thing.
    Machine,
}

impl<'a> Setting<'a> {
    /// That of a run.
    pub fn of_run(run: &'a Run) -> Self {
        let mut hashes = BTreeMap::new();
        for PlannedEntry { id, strategy, program_blake3: hash, .. } in &run.plan.entries {
            let known: &mut &str = hashes.entry(strategy.as_str()).or_insert(hash);
            // Variants of one strategy are of one program, unless the plan was changed.
            if *known != hash {
                hashes.insert(id, hash);
            }
        }
        Setting { hashes, host: &run.host }
    }

    /// That in which a run would go on: the hash of each strategy's program, and the machine.
    pub fn here(hashes: impl Iterator<Item = (&'a str, &'a str)>, host: &'a Host) -> Self {
        Setting { hashes: hashes.collect(), host }
    }
}

impl Aspect {
    /// Whether it is known of both, and differs.
    fn differs(&self) -> bool {
        let [one, other] = &self.values;
        one.is_some() && other.is_some() && one != other
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Aspect { name, values, kind } = self;
        let [one, other] = values.each_ref().map(|value| value.as_deref().unwrap_or("unknown"));
        match kind {
            Kind::Program if one == ABSENT => write!(f, "{name}: in the second only"),
            Kind::Program if other == ABSENT => write!(f, "{name}: in the first only"),
            Kind::Program => write!(f, "{name}: other program ({one} → {other})"),
            Kind::Making | Kind::Build | Kind::Machine => write!(f, "{name}: {one} → {other}"),
        }
    }
}

/// What is known to differ.
pub fn differences(one: &Setting<'_>, other: &Setting<'_>) -> Vec<Aspect> {
    aspects(one, other).into_iter().filter(Aspect::differs).collect()
}

/// What differs so that measurements must not be mixed; as it is shown.
pub fn obstacles(one: &Setting<'_>, other: &Setting<'_>) -> Vec<String> {
    let differences = differences(one, other);
    // Of programs that are known to be the same it does not matter what they were made of.
    let knows = |setting: &Setting<'_>| {
        setting.host.harness_blake3.is_some()
            && setting.hashes.values().all(|hash| !hash.is_empty())
    };
    let same = knows(one) && knows(other);
    let obstacles = differences.iter().filter(|aspect| aspect.kind != Kind::Making || !same);
    obstacles.map(Aspect::to_string).collect()
}

/// The names of what one of the runs does not know, so that it may differ.
pub fn unknown(one: &Setting<'_>, other: &Setting<'_>) -> Vec<String> {
    let aspects = aspects(one, other);
    let same_programs =
        one.hashes == other.hashes && !one.hashes.values().any(|hash| hash.is_empty());
    let matters =
        |aspect: &&Aspect| !same_programs || matches!(aspect.kind, Kind::Program | Kind::Machine);
    let is_unknown = |aspect: &&Aspect| aspect.values.iter().any(Option::is_none);
    aspects.iter().filter(is_unknown).filter(matters).map(|aspect| aspect.name.clone()).collect()
}

fn aspects(one: &Setting<'_>, other: &Setting<'_>) -> Vec<Aspect> {
    let sides = [one, other];
    let aspect = |name: &str, kind, value: &dyn Fn(&Host) -> Option<String>| Aspect {
        name: name.to_owned(),
        values: sides.map(|side| value(side.host)),
        kind,
    };
    let strategies: BTreeSet<_> = sides.iter().flat_map(|side| side.hashes.keys()).collect();
    let strategy = |name: &&&str| Aspect {
        name: format!("strategy {name}"),
        values: sides.map(|side| match side.hashes.get(**name) {
            Some(&"") => None,
            Some(hash) => Some(shortened(hash)),
            None => Some(ABSENT.to_owned()),
        }),
        kind: Kind::Program,
    };
    let mut aspects: Vec<_> = strategies.iter().map(strategy).collect();
    let text = |value: &Option<String>| value.clone();
    let number = |value: Option<usize>| value.map(|number| number.to_string());
    use Kind::{Build, Machine, Making, Program};
    aspects.push(aspect("harness", Program, &|host| host.harness_blake3.as_deref().map(shortened)));
    aspects.push(aspect("programs", Making, &|host| host.origin.as_ref().map(origin)));
    aspects.push(aspect("revision", Making, &|host| text(&host.git_revision)));
    // Two modified trees may be modified in different ways.
    let modified = sides.iter().all(|side| side.host.git_modified == Some(true));
    aspects
        .push(aspect("modification of the tree", Making, &|host| tree(host).filter(|_| !modified)));
    aspects.push(aspect("rustc", Making, &compilers));
    aspects.push(aspect("Cargo.lock", Making, &|host| {
        host.lock_file_blake3.as_deref().map(shortened)
    }));
    aspects.extend(crates(one.host, other.host));
    let build = |host: &Host| host.origin.as_ref().and_then(Origin::build).cloned();
    aspects.push(aspect("target", Build, &|host| build(host).map(|build| build.target)));
    aspects.push(aspect("architecture", Build, &|host| {
        of_programs(host, |program| program.architecture.clone())
    }));
    aspects.push(aspect("C library of the programs", Build, &|host| {
        of_programs(host, |program| program.c_library.clone())
    }));
    aspects.push(aspect("compiler flags", Build, &|host| {
        build(host).map(|build| build.rustflags.join(" "))
    }));
    aspects.push(aspect("cargo profile", Build, &|host| build(host).map(|b| b.profile_text())));
    aspects.push(aspect("kernels on cache lines", Build, &|host| {
        of_programs(host, |program| {
            program.aligned.map(|aligned| if aligned { "yes" } else { "no" }.to_owned())
        })
    }));
    aspects.push(aspect("CPU", Machine, &|host| text(&host.cpu)));
    aspects.push(aspect("CPU model and revision", Machine, &|host| text(&host.cpu_signature)));
    aspects.push(aspect("CPUs online", Machine, &|host| number(host.cpus_online)));
    aspects.push(aspect("CPUs allowed", Machine, &|host| number(host.cpus_allowed)));
    aspects.push(aspect("CPU quota", Machine, &|host| host.cpu_quota.map(quota)));
    // Rounded: the kernel's own share changes from start to start.
    aspects.push(aspect("memory", Machine, &|host| {
        host.memory_bytes.map(|size| units::bytes(size as f64))
    }));
    aspects.push(aspect("virtualisation", Machine, &|host| text(&host.virtualisation)));
    aspects.push(aspect("governor", Machine, &|host| text(&host.governor)));
    aspects.push(aspect("kernel", Machine, &|host| text(&host.kernel)));
    aspects.push(aspect("C library", Machine, &|host| text(&host.c_library)));
    aspects.push(aspect("file system", Machine, &|host| text(&host.file_system)));
    aspects.push(aspect("environment", Machine, &|host| host.environment.as_ref().map(variables)));
    aspects.push(aspect("allocator", Machine, &|host| Some(host.allocator.clone())));
    aspects
}

fn shortened(hash: &str) -> String {
    hash.chars().take(HASH_DIGITS).collect()
}

/// Whether a run has built its programs.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Built(_) => "built by the run",
        Origin::ReadyBuilt => "ready-built (--bin-dir)",
    }
    .to_owned()
}

/// What a group allows, such as `1.5 CPUs`.
pub fn quota(quota: CpuQuota) -> String {
    match quota {
        CpuQuota::Unlimited => "none".to_owned(),
        CpuQuota::Cpus(cpus) => {
            let plural = if cpus == 1.0 { "" } else { "s" };
            let whole = if cpus.fract() == 0.0 { "" } else { ", which is not whole" };
            format!("{} CPU{plural}{whole}", (cpus * 100.0).round() / 100.0)
        }
    }
}

fn tree(host: &Host) -> Option<String> {
    let tree = if host.git_modified? { "modified" } else { "none" };
    Some(tree.to_owned())
}

/// Such as `MALLOC_ARENA_MAX=1`, or `none`.
pub fn variables(environment: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if pairs.is_empty() { "none".to_owned() } else { pairs.join(" ") }
}

/// As the executables tell; of runs that did not ask them, the compiler of the workspace.
pub fn compilers(host: &Host) -> Option<String> {
    let version = |rustc: &String| rustc.trim_start_matches("rustc ").to_owned();
    of_programs(host, |program| program.compiler.clone())
        .or_else(|| host.rustc.as_ref().map(version))
}

/// What the executables of a run tell, each answer once; `None` where one of them tells nothing.
pub fn of_programs(
    host: &Host,
    tell: impl Fn(&record::program::Executable) -> Option<String>,
) -> Option<String> {
    let programs = host.programs.as_ref().filter(|programs| !programs.is_empty())?;
    let told: Option<BTreeSet<_>> = programs.values().map(tell).collect();
    Some(told?.into_iter().collect::<Vec<_>>().join(", "))
}

/// Of runs that know no version at all one aspect says so.
fn crates(one: &Host, other: &Host) -> Vec<Aspect> {
    let sides = [one, other];
    let kind = Kind::Making;
    if sides.iter().any(|host| host.versions.is_empty()) {
        let known = |host: &Host| (!host.versions.is_empty()).then(|| "known".to_owned());
        return vec![Aspect { name: "crate versions".to_owned(), values: sides.map(known), kind }];
    }
    let names: BTreeSet<_> = sides.iter().flat_map(|host| host.versions.keys()).collect();
    let version = |host: &Host, name: &String| {
        Some(host.versions.get(name).map_or("none", String::as_str).to_owned())
    };
    let aspect = |name: &String| Aspect {
        name: format!("crate {name}"),
        values: sides.map(|host| version(host, name)),
        kind,
    };
    names.into_iter().map(aspect).collect()
}

#[cfg(test)]
mod tests;
