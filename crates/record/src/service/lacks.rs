//! What this machine lacks to run a service: open files, threads, memory.

use crate::service::ServiceProfile;
use crate::values::{grouped, size};
use machine::limits::{Bound, Limits, OTHER_FILES};

impl ServiceProfile {
    /// What this machine lacks, one sentence each with what would be needed.
    pub fn lacks(&self) -> Vec<String> {
        self.lacks_on(&Limits::of_this_process())
    }

    /// The same without what only some models need: they fail, and the others are measured.
    pub fn lacks_for_any_model(&self) -> Vec<String> {
        self.lacks_on(&Limits { threads: None, ..Limits::of_this_process() })
    }

    fn lacks_on(&self, machine: &Limits) -> Vec<String> {
        let connections = self.load.connections;
        let count = grouped(connections);
        let short = |bound: &Option<Bound>, needed: u64| {
            bound.clone().filter(|bound| bound.most < needed).map(|bound| (bound.most, bound.whose))
        };
        let mut lacks = Vec::new();
        if let Some((fit, whose)) = short(&machine.connections, connections) {
            lacks.push(format!(
                "{count} connections need as many open files, and {} fit here: raise the hard limit ({whose}) to {} or more",
                grouped(fit),
                connections + OTHER_FILES,
            ));
        }
        if let Some((fit, whose)) = short(&machine.threads, connections) {
            lacks.push(format!(
                "models that take a thread for each connection need {count} threads, and about {} fit here: raise {whose} to measure them",
                grouped(fit),
            ));
        }
        let had =
            |(most, whose): &(u64, String)| format!("{} can be had here ({whose})", size(*most));
        if let Some(limit) = self.limits.memory_bytes
            && let Some(bound) = short(&machine.memory, limit)
        {
            lacks.push(format!(
                "limits.memory is {}, and {}: find {} more or lower the limit",
                size(limit),
                had(&bound),
                size(limit - bound.0),
            ));
        }
        let answers = self.answers_bytes();
        if let Some(bound) = short(&machine.memory, answers) {
            lacks.push(format!(
                "answers to {count} connections at once take {}, and {}: find {} more or lower load.connections",
                size(answers),
                had(&bound),
                size(answers - bound.0),
            ));
        }
        lacks
    }

    /// Memory of the largest answer to every connection at once.
    pub fn answers_bytes(&self) -> u64 {
        let largest = self.classes.iter().map(|class| class.payload_bytes).max().unwrap_or(0);
        self.load.connections.saturating_mul(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::service;
    use crate::service::Optimise;

    #[test]
    fn what_is_lacking_is_told_with_what_would_be_needed() {
        let mut profile = service(Optimise::P99);
        profile.load.connections = 2_000;
        profile.classes[0].payload_bytes = 1 << 20;
        profile.limits.memory_bytes = Some(1 << 30);
        let bound = |most, whose: &str| Some(Bound { most, whose: whose.to_owned() });
        let machine = Limits {
            connections: bound(960, "ulimit -Hn"),
            threads: bound(500, "vm.max_map_count"),
            memory: bound(512 << 20, "the control group allows 600 MiB"),
            ..Limits::default()
        };
        let expected = [
            "2,000 connections need as many open files, and 960 fit here: raise the hard limit (ulimit -Hn) to 2064 or more",
            "models that take a thread for each connection need 2,000 threads, and about 500 fit here: raise vm.max_map_count to measure them",
            "limits.memory is 1 GiB, and 512 MiB can be had here (the control group allows 600 MiB): find 512 MiB more or lower the limit",
            "answers to 2,000 connections at once take 1.95 GiB, and 512 MiB can be had here (the control group allows 600 MiB): find 1.45 GiB more or lower load.connections",
        ];
        assert_eq!(profile.lacks_on(&machine), expected);
    }

    #[test]
    fn a_machine_that_has_enough_or_tells_nothing_lacks_nothing() {
        let profile = service(Optimise::P99);
        let bound = |most| Some(Bound { most, whose: "plenty".to_owned() });
        let plenty = Limits {
            connections: bound(100_000),
            threads: bound(100_000),
            memory: bound(1 << 40),
            ..Limits::default()
        };
        assert_eq!(profile.lacks_on(&plenty), [""; 0]);
        assert_eq!(profile.lacks_on(&Limits::default()), [""; 0]);
    }
}
