//! What `--help` ends with: command lines that work, each below what it does.

pub(super) const PROGRAM: &str = "\
Without a command: `run` in the quick profile, less than five minutes on two cores.
Exit codes: 0 done, 1 error, 2 usage, 3 done but some cells failed, 130 interrupted.

Examples:
  # Compare everything, quickly
  bench-harness

  # See that every strategy computes what it should, before a long run
  bench-harness check

  # Say what changed between two runs
  bench-harness compare results/before results/after";

pub(super) const RUN: &str = "\
Examples:
  # Compare everything, quickly
  bench-harness run

  # Hold two strategies against each other on two workloads, for ten minutes
  bench-harness run --strategy tokio,smol --workload map,gather --time-budget 10m

  # See how what computes speeds up with more threads
  bench-harness run --profile standard --workers 1,2,4 --out results/sweep

  # Go on with a run that was interrupted
  bench-harness run --resume results/sweep";

pub(super) const DECIDE: &str = "\
Examples:
  # Which model suits the service that a file describes
  bench-harness decide profiles/api-gateway.toml

  # The same with more certainty, kept in a folder
  bench-harness decide profiles/crud.toml --profile standard --out results/crud";

pub(super) const MAP: &str = "\
Examples:
  # Up to how many connections threads keep up, by what a request computes
  bench-harness map

  # The same for a service of your own, whose requests wait for longer and longer
  bench-harness map profiles/crud.toml --x connections=10..1000 --y wait=1ms..100ms

  # What blocking calls change, at every point
  bench-harness map --x connections=10..1000 --y blocking --per-decade 1 --full";

pub(super) const LIST: &str = "\
Examples:
  # What `run` would measure
  bench-harness list

  # What a thorough run would measure
  bench-harness list --profile thorough";

pub(super) const CHECK: &str = "\
Examples:
  # Build and try every strategy
  bench-harness check

  # Try one strategy with a single worker thread
  bench-harness check --strategy tokio --workers 1

  # Try executables of your own, without building anything
  bench-harness check --bin-dir target/release --quiet";

pub(super) const LOAD: &str = "\
Examples:
  # How fast the built-in server answers on this machine
  bench-harness load

  # 2,000 requests a second to a server of your own, for half a minute
  bench-harness load --target 127.0.0.1:8080 --rate 2000 --duration 30s

  # The same for another program to read
  bench-harness load --target 127.0.0.1:8080 --rate 2000 --format json";

pub(super) const COMPARE: &str = "\
Examples:
  # What the second run says that the first did not
  bench-harness compare results/before results/after";

pub(super) const REPORT: &str = "\
Examples:
  # Make the reports of a run again
  bench-harness report results/monday

  # Pool two runs of the same plan on the same machine
  bench-harness report results/monday results/friday --out results/both

  # Put the matrix into a README between its markers
  bench-harness report results/monday --splice README.md";

pub(super) const EXPORT: &str = "\
Examples:
  # Send a run to Bencher
  bench-harness export results/monday --format bencher > bmf.json

  # Let github-action-benchmark watch over it
  bench-harness export results/monday --format github-action > benchmarks.json

  # Look at it with what reads hyperfine's results
  bench-harness export results/monday --format hyperfine > hyperfine.json";

pub(super) const PROFILE: &str = "\
Examples:
  # Start from the example of a service on a database
  bench-harness profile new --kind crud --out service.toml

  # See what it means on this machine
  bench-harness profile check service.toml";

pub(super) const PROFILE_CHECK: &str = "\
Examples:
  # See what two profiles mean on this machine
  bench-harness profile check service.toml profiles/chat.toml";

pub(super) const PROFILE_NEW: &str = "\
Examples:
  # The example of a service on a database, as it is
  bench-harness profile new --kind crud > service.toml

  # A gateway of your own
  bench-harness profile new --kind gateway --rate 900 --wait 35ms --p99 150ms --out service.toml";

pub(super) const SCHEMA: &str = "\
Examples:
  # Keep the schema beside what is checked with it
  bench-harness schema > summary.schema.json";

pub(super) const SELFTEST: &str = "\
Examples:
  # A short look at whether verdicts can be trusted here
  bench-harness selftest

  # All repetitions, with the table kept in a folder
  bench-harness selftest --long --out results/selftest";

pub(super) const COMPLETIONS: &str = "\
Examples:
  # For this session of bash
  source <(bench-harness completions bash)

  # For every session of fish
  bench-harness completions fish > ~/.config/fish/completions/bench-harness.fish";

pub(super) const MAN: &str = "\
Examples:
  # Read the page of the program
  bench-harness man | man -l -

  # Keep the pages where `man` finds them
  bench-harness man --out ~/.local/share/man/man1";
