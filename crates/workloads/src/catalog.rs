//! The list of workloads with their types erased, for programs that handle them by name.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::{
    Definition, Digest, Key, Limit, ParamError, Params, Profile, Sampling, Service, Spec, Workload,
    for_each_workload,
};

/// Whether a workload is run or served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Run to its end, again and again.
    Batch,
    /// Served to a load generator.
    Service,
}

/// One workload with one set of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// `workload` or `workload/label`: unique within a run.
    pub id: String,
    /// The parameters as JSON.
    pub params: Value,
    /// Number of operations in one run.
    pub operations: u64,
    /// Connections that its load generator keeps open; 0 for a batch workload.
    pub connections: usize,
    /// The physical bound.
    pub limit: Limit,
    /// How often it runs inside one process.
    pub sampling: Sampling,
}

/// A workload with its types erased.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The fixed facts.
    pub spec: Spec,
    /// Whether it is run or served.
    pub kind: Kind,
    /// Its parameters.
    pub keys: &'static [Key],
    cases: fn(Profile) -> Vec<Value>,
    case: fn(&Value) -> Result<Case, ParamError>,
    expected: fn(&Value, &Path) -> io::Result<Digest>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.spec.name).finish_non_exhaustive()
    }
}

impl Entry {
    fn batch<W: Workload>() -> Self {
        Entry {
            spec: W::SPEC,
            kind: Kind::Batch,
            keys: W::Params::KEYS,
            cases: cases::<W>,
            case: |params| Ok(case::<W>(&W::Params::from_json(params)?, 0)),
            expected: |params, scratch| {
                let params = W::Params::from_json(params).map_err(io::Error::other)?;
                W::expected(&W::prepare(&params, scratch)?)
            },
        }
    }

    fn service<S: Service>() -> Self {
        Entry {
            spec: S::SPEC,
            kind: Kind::Service,
            keys: S::Params::KEYS,
            cases: cases::<S>,
            case: |params| {
                let params = S::Params::from_json(params)?;
                Ok(case::<S>(&params, S::connections(&params)))
            },
            expected: |params, _| {
                Ok(S::expected(&S::Params::from_json(params).map_err(io::Error::other)?))
            },
        }
    }

    /// The cases that a profile measures.
    pub fn cases(&self, profile: Profile) -> Vec<Case> {
        let params = (self.cases)(profile);
        params.iter().map(|params| self.case(params).expect("defaults are in range")).collect()
    }

    /// The case that these parameters make.
    ///
    /// # Errors
    /// If the parameters are not of this workload's form or out of range.
    pub fn case(&self, params: &Value) -> Result<Case, ParamError> {
        (self.case)(params)
    }

    /// The right answer, computed one operation after the other.
    ///
    /// # Errors
    /// If the input cannot be made or read.
    pub fn expected(&self, params: &Value, scratch: &Path) -> io::Result<Digest> {
        (self.expected)(params, scratch)
    }
}

fn cases<D: Definition>(profile: Profile) -> Vec<Value> {
    let to_json = |params| serde_json::to_value(params).expect("parameters are plain data");
    D::cases(profile).into_iter().map(to_json).collect()
}

fn case<D: Definition>(params: &D::Params, connections: usize) -> Case {
    let label = D::label(params);
    Case {
        id: if label.is_empty() {
            D::SPEC.name.to_owned()
        } else {
            format!("{}/{label}", D::SPEC.name)
        },
        params: serde_json::to_value(params).expect("parameters are plain data"),
        operations: D::operations(params),
        connections,
        limit: D::limit(params),
        sampling: D::sampling(params),
    }
}

/// All workloads, in the order of the report.
pub fn catalog() -> Vec<Entry> {
    macro_rules! entries {
        (batch: [$($workload:path),* $(,)?], service: [$($service:path),* $(,)?] $(,)?) => {
            vec![$(Entry::batch::<$workload>(),)* $(Entry::service::<$service>(),)*]
        };
    }
    for_each_workload!(entries)
}

/// The workload of that name.
///
/// ```
/// let gather = workloads::find("gather").expect("it is in the catalogue");
/// let cases = gather.cases(workloads::Profile::Quick);
/// assert_eq!(cases[0].id, "gather/n=1000");
/// assert!(workloads::find("gahter").is_none());
/// ```
pub fn find(name: &str) -> Option<Entry> {
    catalog().into_iter().find(|entry| entry.spec.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PROFILES: [Profile; 4] =
        [Profile::Smoke, Profile::Quick, Profile::Standard, Profile::Thorough];

    #[test]
    fn every_case_of_every_profile_has_an_id_of_its_own_and_its_keys_documented() {
        for profile in PROFILES {
            let mut ids = BTreeSet::new();
            for entry in catalog() {
                for case in entry.cases(profile) {
                    let fields: Vec<_> = case.params.as_object().unwrap().keys().cloned().collect();
                    let mut keys: Vec<_> = entry.keys.iter().map(|key| key.name).collect();
                    keys.sort_unstable();
                    assert_eq!(fields, keys, "{}", case.id);
                    assert!(case.operations > 0, "{}", case.id);
                    assert!(ids.insert(case.id.clone()), "{} twice in {profile}", case.id);
                }
            }
        }
    }

    #[test]
    fn a_workload_is_found_by_its_name_only() {
        assert_eq!(find("map").unwrap().spec.name, "map");
        assert!(find("Map").is_none());
    }
}
