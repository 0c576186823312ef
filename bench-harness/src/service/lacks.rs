//! What this machine lacks to run a service: open files, threads, memory.

use super::ServiceProfile;
use super::values::{grouped, size};
use crate::host;

/// Files that a program has open besides its connections, as [`worker::os::connections_that_fit`] counts.
const OTHER_FILES: u64 = 64;

/// What a machine has of what a service may need; what the system does not tell is missing.
#[derive(Debug, Clone, Copy)]
struct Machine {
    connections: Option<u64>,
    threads: Option<u64>,
    /// Memory that can be had without swapping.
    memory_bytes: Option<u64>,
}

impl Machine {
    fn here() -> Self {
        Machine {
            connections: worker::os::connections_that_fit(),
            threads: worker::os::threads_that_fit(),
            memory_bytes: host::memory_available_bytes(),
        }
    }
}

impl ServiceProfile {
    /// What this machine lacks, one sentence each with what would be needed.
    pub(crate) fn lacks(&self) -> Vec<String> {
        self.lacks_on(&Machine::here())
    }

    /// The same without what only some models need: they fail, and the others are measured.
    pub(crate) fn lacks_for_any_model(&self) -> Vec<String> {
        self.lacks_on(&Machine { threads: None, ..Machine::here() })
    }

    fn lacks_on(&self, machine: &Machine) -> Vec<String> {
        let connections = self.load.connections;
        let count = grouped(connections);
        let mut lacks = Vec::new();
        if let Some(fit) = machine.connections.filter(|&fit| fit < connections) {
            lacks.push(format!(
                "{count} connections need as many open files, and {} fit here: raise the hard limit (ulimit -Hn) to {} or more",
                grouped(fit),
                connections + OTHER_FILES,
            ));
        }
        if let Some(fit) = machine.threads.filter(|&fit| fit < connections) {
            lacks.push(format!(
                "models that take a thread for each connection need {count} threads, and about {} fit here: raise vm.max_map_count, kernel.threads-max, kernel.pid_max or ulimit -u to measure them",
                grouped(fit),
            ));
        }
        let Some(memory) = machine.memory_bytes else { return lacks };
        if let Some(limit) = self.limits.memory_bytes.filter(|&limit| limit > memory) {
            lacks.push(format!(
                "limits.memory is {}, and {} can be had here: free {} or lower the limit",
                size(limit),
                size(memory),
                size(limit - memory),
            ));
        }
        let answers = self.answers_bytes();
        if answers > memory {
            lacks.push(format!(
                "answers to {count} connections at once take {}, and {} can be had here: free {} or lower load.connections",
                size(answers),
                size(memory),
                size(answers - memory),
            ));
        }
        lacks
    }

    /// Memory of the largest answer to every connection at once.
    pub(crate) fn answers_bytes(&self) -> u64 {
        let largest = self.classes.iter().map(|class| class.payload_bytes).max().unwrap_or(0);
        self.load.connections.saturating_mul(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::kinds::Kind;

    #[test]
    fn what_is_lacking_is_told_with_what_would_be_needed() {
        let mut profile = ServiceProfile::parse(Kind::Gateway.text()).unwrap();
        profile.load.connections = 2_000;
        profile.classes[0].payload_bytes = 1 << 20;
        profile.limits.memory_bytes = Some(1 << 30);
        let machine =
            Machine { connections: Some(960), threads: Some(500), memory_bytes: Some(512 << 20) };
        let expected = [
            "2,000 connections need as many open files, and 960 fit here: raise the hard limit (ulimit -Hn) to 2064 or more",
            "models that take a thread for each connection need 2,000 threads, and about 500 fit here: raise vm.max_map_count, kernel.threads-max, kernel.pid_max or ulimit -u to measure them",
            "limits.memory is 1 GiB, and 512 MiB can be had here: free 512 MiB or lower the limit",
            "answers to 2,000 connections at once take 1.95 GiB, and 512 MiB can be had here: free 1.45 GiB or lower load.connections",
        ];
        assert_eq!(profile.lacks_on(&machine), expected);
    }

    #[test]
    fn a_machine_that_has_enough_or_tells_nothing_lacks_nothing() {
        let profile = ServiceProfile::parse(Kind::Gateway.text()).unwrap();
        let plenty = Machine {
            connections: Some(100_000),
            threads: Some(100_000),
            memory_bytes: Some(1 << 40),
        };
        assert_eq!(profile.lacks_on(&plenty), [""; 0]);
        let silent = Machine { connections: None, threads: None, memory_bytes: None };
        assert_eq!(profile.lacks_on(&silent), [""; 0]);
    }
}
