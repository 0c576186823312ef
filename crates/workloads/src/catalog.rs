//! The list of workloads with their types erased, for programs that handle them by name.

use std::io;

use serde_json::Value;

use crate::{
    Amount, Definition, Digest, Grant, Key, Limit, Load, Metric, ParamError, Params, Profile,
    Sampling, Service, Site, Spec, Workload, for_each_workload,
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
    /// What one run works through, where a rate of it tells something.
    pub amount: Option<Amount>,
    /// Connections that are kept open: by the load generator of a service, or to the latency backend.
    pub connections: usize,
    /// The number that the strategies are ordered by.
    pub metric: Metric,
    /// Whether settling it needs the capacity of the slowest contestant.
    pub rated: bool,
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
    /// Whether a run needs the latency backend beside it.
    pub backend: bool,
    cases: fn(Profile) -> Vec<Value>,
    case: fn(&Value) -> Result<Case, ParamError>,
    settle: fn(&Value, &Grant) -> Result<Value, ParamError>,
    expected: fn(&Value, &Site<'_>) -> io::Result<Digest>,
    load: fn(&Value) -> Result<Option<Load>, ParamError>,
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
            backend: W::BACKEND,
            cases: cases::<W>,
            case: |params| {
                let params = W::Params::from_json(params)?;
                Ok(case::<W>(&params, W::connections(&params) as usize))
            },
            settle: settle::<W>,
            expected: |params, site| {
                let params = W::Params::from_json(params).map_err(io::Error::other)?;
                W::expected(&W::prepare(&params, site)?)
            },
            load: |_| Ok(None),
        }
    }

    fn service<S: Service>() -> Self {
        Entry {
            spec: S::SPEC,
            kind: Kind::Service,
            keys: S::Params::KEYS,
            backend: false,
            cases: cases::<S>,
            case: |params| {
                let params = S::Params::from_json(params)?;
                Ok(case::<S>(&params, S::load(&params).connections()))
            },
            settle: settle::<S>,
            expected: |params, _| {
                Ok(S::expected(&S::Params::from_json(params).map_err(io::Error::other)?))
            },
            load: |params| Ok(Some(S::load(&S::Params::from_json(params)?))),
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

    /// The case that these parameters make on this machine.
    ///
    /// # Errors
    /// If the parameters are not of this workload's form or out of range.
    pub fn settle(&self, params: &Value, grant: &Grant) -> Result<Case, ParamError> {
        self.case(&(self.settle)(params, grant)?)
    }

    /// The right answer, computed one operation after the other.
    ///
    /// # Errors
    /// If the input cannot be made or read.
    pub fn expected(&self, params: &Value, site: &Site<'_>) -> io::Result<Digest> {
        (self.expected)(params, site)
    }

    /// What the load generator does with a service; `None` for a batch workload.
    ///
    /// # Errors
    /// If the parameters are not of this workload's form or out of range.
    pub fn load(&self, params: &Value) -> Result<Option<Load>, ParamError> {
        (self.load)(params)
    }
}

fn cases<D: Definition>(profile: Profile) -> Vec<Value> {
    let to_json = |params| serde_json::to_value(params).expect("parameters are plain data");
    D::cases(profile).into_iter().map(to_json).collect()
}

fn settle<D: Definition>(params: &Value, grant: &Grant) -> Result<Value, ParamError> {
    let params = D::settle(D::Params::from_json(params)?, grant);
    Ok(serde_json::to_value(params).expect("parameters are plain data"))
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
        amount: D::amount(params),
        connections,
        metric: D::metric(params),
        rated: D::rated(params),
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

    const PROFILES: [Profile; 4] = Profile::ALL;

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
