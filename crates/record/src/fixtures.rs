//! Plans and services for tests.

use std::time::Duration;

use judge::Design;
use protocol::{Digest, Placement, SamplingPlan};
use workloads::{Limit, Metric, Profile};

use crate::plan::{Plan, PlannedCase, PlannedEntry};
use crate::schema::SCHEMA;
use crate::service::{
    Limits, Load, Objective, Optimise, Preferences, RequestClass, ServiceProfile,
};

/// A plan of these cases and entries.
pub fn plan(cases: &[&str], entries: &[&str], rounds: usize) -> Plan {
    Plan {
        schema: SCHEMA,
        profile: Profile::Quick,
        faithful: false,
        seed: 1,
        workers: 2,
        design: Design::once(rounds),
        budget_ms: None,
        time_limit_ms: 1_000,
        cases: cases
            .iter()
            .map(|id| PlannedCase {
                id: (*id).to_owned(),
                workload: id.split('/').next().unwrap().to_owned(),
                params: serde_json::json!({}),
                workers: 2,
                swept: None,
                placement: Placement::Free,
                operations: 100,
                amount: None,
                metric: workloads::find(id.split('/').next().unwrap())
                    .map_or(Metric::Wall, |workload| workload.spec.metric),
                limit: Limit::SequentialOverWorkers,
                sampling: SamplingPlan { warmup: 1, min_samples: 1, budget_ns: 0 },
                first_round: false,
                contestants_only: false,
                expected: Digest::of_number(1),
                unanswered: None,
            })
            .collect(),
        entries: entries
            .iter()
            .map(|id| PlannedEntry {
                id: (*id).to_owned(),
                strategy: id.split('/').next().unwrap().to_owned(),
                variant: id.split('/').nth(1).unwrap_or("default").to_owned(),
                program_blake3: String::new(),
                only: None,
                excluded: None,
            })
            .collect(),
        capacity: None,
        service: None,
        left_out: None,
        map: None,
    }
}

/// Nine of ten requests wait, one computes.
pub fn service(optimise: Optimise) -> ServiceProfile {
    let class = |name: &str, per_mille, wait_ms, cpu_us| RequestClass {
        name: name.to_owned(),
        per_mille,
        wait: Duration::from_millis(wait_ms),
        cpu: Duration::from_micros(cpu_us),
        payload_bytes: 256,
        blocking: false,
    };
    ServiceProfile {
        name: "example".to_owned(),
        load: Load { connections: 100, rate: Some(1_000) },
        classes: vec![class("light", 900, 5, 20), class("heavy", 100, 0, 500)],
        objective: Objective { p99: Duration::from_millis(50), optimise },
        limits: Limits { memory_bytes: None, threads: None },
        preferences: Preferences {
            maintained_only: true,
            no_async: false,
            callable_from_sync: false,
            order: Vec::new(),
            exclude: Vec::new(),
        },
    }
}
