//! Which CPU a machine has, from what `/proc/cpuinfo` says on each architecture.

use std::collections::BTreeSet;

/// Name by implementer and part, of those that servers and boards have. Source: `lscpu-arm.c` of util-linux.
const ARM_PARTS: [(&str, &str, &str); 44] = [
    ("0x41", "0xd03", "Cortex-A53"),
    ("0x41", "0xd04", "Cortex-A35"),
    ("0x41", "0xd05", "Cortex-A55"),
    ("0x41", "0xd07", "Cortex-A57"),
    ("0x41", "0xd08", "Cortex-A72"),
    ("0x41", "0xd09", "Cortex-A73"),
    ("0x41", "0xd0a", "Cortex-A75"),
    ("0x41", "0xd0b", "Cortex-A76"),
    ("0x41", "0xd0c", "Neoverse-N1"),
    ("0x41", "0xd0d", "Cortex-A77"),
    ("0x41", "0xd40", "Neoverse-V1"),
    ("0x41", "0xd41", "Cortex-A78"),
    ("0x41", "0xd44", "Cortex-X1"),
    ("0x41", "0xd46", "Cortex-A510"),
    ("0x41", "0xd47", "Cortex-A710"),
    ("0x41", "0xd48", "Cortex-X2"),
    ("0x41", "0xd49", "Neoverse-N2"),
    ("0x41", "0xd4a", "Neoverse-E1"),
    ("0x41", "0xd4b", "Cortex-A78C"),
    ("0x41", "0xd4d", "Cortex-A715"),
    ("0x41", "0xd4e", "Cortex-X3"),
    ("0x41", "0xd4f", "Neoverse-V2"),
    ("0x41", "0xd80", "Cortex-A520"),
    ("0x41", "0xd81", "Cortex-A720"),
    ("0x41", "0xd82", "Cortex-X4"),
    ("0x41", "0xd84", "Neoverse-V3"),
    ("0x41", "0xd8e", "Neoverse-N3"),
    ("0x42", "0x516", "Vulcan"),
    ("0x43", "0x0a1", "ThunderX-88XX"),
    ("0x43", "0x0af", "ThunderX2-99xx"),
    ("0x46", "0x001", "A64FX"),
    ("0x48", "0xd01", "TSV110"),
    ("0x48", "0xd02", "TSV200"),
    ("0x50", "0x000", "X-Gene"),
    ("0x51", "0x001", "Oryon"),
    ("0x51", "0xc00", "Falkor"),
    ("0x61", "0x022", "Icestorm-M1"),
    ("0x61", "0x023", "Firestorm-M1"),
    ("0x61", "0x032", "Blizzard-M2"),
    ("0x61", "0x033", "Avalanche-M2"),
    ("0xc0", "0xac3", "Ampere-1"),
    ("0xc0", "0xac4", "Ampere-1a"),
    ("0xc0", "0xac5", "Ampere-1b"),
    ("0x4e", "0x004", "Carmel"),
];

/// The model's name. ARM's kernels give numbers instead, of each kind of core in the machine.
pub fn name(cpuinfo: &str) -> Option<String> {
    let arm = arm_cores(cpuinfo);
    if !arm.is_empty() {
        return Some(arm.into_iter().collect::<Vec<_>>().join(" + "));
    }
    // x86, LoongArch, POWER, RISC-V.
    ["model name", "Model Name", "cpu", "uarch"]
        .iter()
        .find_map(|key| values(cpuinfo, key).next())
        .map(str::to_owned)
}

/// What tells CPUs apart that go by one name, as those of virtual machines do: the numbers of the model and
/// of its revision.
pub fn signature(cpuinfo: &str) -> Option<String> {
    let keys: &[&str] = match values(cpuinfo, "CPU implementer").next() {
        Some(_) => &["CPU implementer", "CPU variant", "CPU part", "CPU revision"],
        None => &["vendor_id", "cpu family", "model", "stepping"],
    };
    let numbers: Vec<_> = keys.iter().filter_map(|key| values(cpuinfo, key).next()).collect();
    (numbers.len() == keys.len()).then(|| numbers.join("/"))
}

/// `ARM IMPLEMENTER/PART (NAME), rVARIANTpREVISION`.
fn arm_cores(cpuinfo: &str) -> BTreeSet<String> {
    let core = |core: &str| {
        let value = |key: &str| values(core, key).next();
        let (implementer, part) = (value("CPU implementer")?, value("CPU part")?);
        let known = ARM_PARTS.iter().find(|known| (known.0, known.1) == (implementer, part));
        let name = known.map_or_else(String::new, |known| format!(" ({})", known.2));
        let stepping =
            value("CPU variant").zip(value("CPU revision")).map(|(variant, revision)| {
                format!(", r{}p{revision}", variant.strip_prefix("0x").unwrap_or(variant))
            });
        Some(format!("ARM {implementer}/{part}{name}{}", stepping.unwrap_or_default()))
    };
    cpuinfo.split("\n\n").filter_map(core).collect()
}

/// The values of a key, in the order of the lines.
fn values<'a>(cpuinfo: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
    cpuinfo.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim()).filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const N1: &str = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n\
        CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n";

    #[test]
    fn arm_cores_are_told_apart_without_a_model_name() {
        assert_eq!(name(N1).as_deref(), Some("ARM 0x41/0xd0c (Neoverse-N1), r3p1"));
        let v1 = N1.replace("0xd0c", "0xd40");
        assert_eq!(name(&v1).as_deref(), Some("ARM 0x41/0xd40 (Neoverse-V1), r3p1"));
        let unknown = N1.replace("0xd0c", "0xfff");
        assert_eq!(name(&unknown).as_deref(), Some("ARM 0x41/0xfff, r3p1"));
        let both = name(&format!("{N1}\n{N1}\n{v1}")).unwrap();
        assert_eq!(both.matches("ARM").count(), 2, "{both}");
        assert_ne!(signature(N1), signature(&v1));
    }

    #[test]
    fn other_cpus_go_by_their_name_and_numbers() {
        let xeon = |model: u32| {
            format!(
                "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: {model}\n\
                 model name\t: Intel(R) Xeon(R) Processor\nstepping\t: 8\n"
            )
        };
        assert_eq!(name(&xeon(143)).as_deref(), Some("Intel(R) Xeon(R) Processor"));
        assert_eq!(signature(&xeon(143)).as_deref(), Some("GenuineIntel/6/143/8"));
        assert_eq!(
            name("cpu\t\t: POWER9, altivec supported\n").as_deref(),
            Some("POWER9, altivec supported")
        );
        assert_eq!((name(""), signature("")), (None, None));
    }
}
