//! The samples of a process as columns: a tenth of the bytes of a list of objects, with nothing lost.

use std::collections::BTreeMap;

use protocol::{Digest, Fact, How, Measured, Sample, Usage, known_facts};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// [`Measured`] with one list for each number of its samples.
#[derive(Serialize, Deserialize)]
struct Columns {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    how: Option<How>,
    warmup_ns: Vec<u64>,
    wall_ns: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<UsageColumns>,
    /// The answer of all samples; they were checked against it.
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "known_facts")]
    facts: BTreeMap<Fact, Vec<Option<u64>>>,
    peak_threads: Option<u64>,
    worker_threads: Option<u64>,
    peak_memory_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    latency_ns: Vec<(u64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct UsageColumns {
    user_ns: Vec<u64>,
    system_ns: Vec<u64>,
    voluntary_switches: Vec<u64>,
    involuntary_switches: Vec<u64>,
}

/// Writes a process whose answers were checked.
pub(super) fn serialize<S: Serializer>(measured: &Measured, to: S) -> Result<S::Ok, S::Error> {
    let samples = &measured.samples;
    let usage: Option<Vec<Usage>> = samples.iter().map(|sample| sample.usage).collect();
    let column = |number: fn(&Usage) -> u64, usage: &[Usage]| usage.iter().map(number).collect();
    let mut facts: BTreeMap<Fact, Vec<Option<u64>>> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        for (&fact, &value) in &sample.facts {
            facts.entry(fact).or_insert_with(|| vec![None; samples.len()])[index] = Some(value);
        }
    }
    let columns = Columns {
        how: measured.how.clone(),
        warmup_ns: measured.warmup_ns.clone(),
        wall_ns: samples.iter().map(|sample| sample.wall_ns).collect(),
        usage: usage.map(|usage| UsageColumns {
            user_ns: column(|usage| usage.user_ns, &usage),
            system_ns: column(|usage| usage.system_ns, &usage),
            voluntary_switches: column(|usage| usage.voluntary_switches, &usage),
            involuntary_switches: column(|usage| usage.involuntary_switches, &usage),
        }),
        digest: samples.first().map(|sample| sample.digest),
        facts,
        peak_threads: measured.peak_threads,
        worker_threads: measured.worker_threads,
        peak_memory_bytes: measured.peak_memory_bytes,
        latency_ns: measured.latency_ns.clone(),
    };
    columns.serialize(to)
}

/// Reads what [`serialize`] wrote.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Measured, D::Error> {
    let columns = Columns::deserialize(from)?;
    let uneven = || serde::de::Error::custom("its columns differ in length");
    let count = columns.wall_ns.len();
    let usage = |index: usize| {
        let Some(usage) = &columns.usage else { return Some(None) };
        Some(Some(Usage {
            user_ns: *usage.user_ns.get(index)?,
            system_ns: *usage.system_ns.get(index)?,
            voluntary_switches: *usage.voluntary_switches.get(index)?,
            involuntary_switches: *usage.involuntary_switches.get(index)?,
        }))
    };
    if columns.facts.values().any(|column| column.len() != count) {
        return Err(uneven());
    }
    let mut samples = Vec::with_capacity(count);
    for (index, &wall_ns) in columns.wall_ns.iter().enumerate() {
        let facts = columns.facts.iter();
        let facts = facts.filter_map(|(&fact, column)| Some((fact, column[index]?)));
        samples.push(Sample {
            wall_ns,
            usage: usage(index).ok_or_else(uneven)?,
            digest: columns.digest.ok_or_else(uneven)?,
            facts: facts.collect(),
        });
    }
    Ok(Measured {
        how: columns.how,
        warmup_ns: columns.warmup_ns,
        samples,
        peak_threads: columns.peak_threads,
        worker_threads: columns.worker_threads,
        peak_memory_bytes: columns.peak_memory_bytes,
        latency_ns: columns.latency_ns,
    })
}
