//! What no process may claim: more CPU time than there was.

use std::time::Duration;

/// How much more CPU time than there was may have been used: what was counted just outside the window.
const EDGES: f64 = 1.05;
const EDGES_NS: f64 = 10e6;

/// Why so much CPU time cannot have been used in that time, if so.
pub(crate) fn overspent(spent_ns: u64, elapsed: Duration) -> Option<String> {
    let cpus = machine::allowed_cpus()?.len() as f64;
    overspent_on(cpus, spent_ns, elapsed)
}

fn overspent_on(cpus: f64, spent_ns: u64, elapsed: Duration) -> Option<String> {
    let (spent, elapsed) = (spent_ns as f64, elapsed.as_nanos() as f64);
    (spent > cpus * (EDGES * elapsed + EDGES_NS)).then(|| {
        format!("{:.3} s of CPU time in {:.3} s on {cpus} CPUs", spent / 1e9, elapsed / 1e9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_beyond_the_cpus_is_refused_and_what_lies_at_the_edges_is_not() {
        let second = Duration::from_secs(1);
        assert_eq!(overspent_on(2.0, 2_000_000_000, second), None);
        assert_eq!(overspent_on(2.0, 15_000_000, Duration::from_millis(1)), None);
        let reason = overspent_on(2.0, 2_400_000_000, second).unwrap();
        assert_eq!(reason, "2.400 s of CPU time in 1.000 s on 2 CPUs");
    }
}
