//! The forms in which other tools take a report: services for continuous benchmarking, and what reads
//! hyperfine's results.
//!
//! Such tools compare runs without knowing the machine: each form says as much of it as it has room for. What
//! is 0 by nature is left out, because a ratio to it means nothing. What is undecided or disturbed is marked, or
//! left out where a mark has no room.

use std::collections::BTreeMap;

use serde::Serialize;
use workloads::Metric;

use crate::rounding::{self, significant};
use crate::text;
use analysis::Report;
use analysis::case::{CaseReport, Numbers, Row};
use analysis::contest;
use judge::{Figure, Verdict, median};
use protocol::clean;
use record::journal::to_json;

/// A form that another tool takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// For `bencher run --adapter json`.
    Bencher,
    /// For github-action-benchmark, as `customSmallerIsBetter`.
    GithubAction,
    /// As `hyperfine --export-json` writes it.
    Hyperfine,
}

impl Export {
    /// All of them.
    pub const ALL: [Export; 3] = [Export::Bencher, Export::GithubAction, Export::Hyperfine];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Export::Bencher => "bencher",
            Export::GithubAction => "github-action",
            Export::Hyperfine => "hyperfine",
        }
    }

    /// What it is, for a command line's help.
    pub fn about(self) -> &'static str {
        match self {
            Export::Bencher => {
                "Bencher Metric Format (JSON), for `bencher run --adapter json`. It has no room for the machine: name \
                 that with `--testbed`. Undecided entries have a measure `undecided`; a run on a noisy host is left out"
            }
            Export::GithubAction => {
                "The array that github-action-benchmark takes as `customSmallerIsBetter`; verdict, noise and machine \
                 are in `extra`"
            }
            Export::Hyperfine => {
                "What `hyperfine --export-json` writes; only what is measured in elapsed time. Verdict, noise and \
                 machine are in `parameters`"
            }
        }
    }
}

/// The report in this form.
pub fn render(export: Export, report: &Report) -> String {
    let report = &rounding::rounded(report);
    match export {
        Export::Bencher => to_json(&bencher(report)),
        Export::GithubAction => to_json(&github_action(report)),
        Export::Hyperfine => to_json(&hyperfine(report)),
    }
}

/// One sentence on what a form leaves out of a report that has it.
pub fn left_out(export: Export, report: &Report) -> Option<String> {
    if export == Export::Bencher && is_noisy(report) {
        let reason = "everything is left out, because others used the machine while it was measured and this form \
            cannot say so: measure again when it is quiet";
        return Some(reason.to_owned());
    }
    let with_numbers = report.rows().filter(|(_, row)| row.numbers.is_some());
    let count = with_numbers.count() - cells(report).count();
    let values = if count == 1 { "value that can be 0 is" } else { "values that can be 0 are" };
    (count > 0).then(|| format!("{count} {values} left out: a ratio to 0 means nothing"))
}

fn is_noisy(report: &Report) -> bool {
    report.noise.banner().is_some()
}

fn is_undecided(numbers: &Numbers) -> bool {
    numbers.verdict == Some(Verdict::Undecided)
}

/// Said of every value of a run on a noisy host.
const NOISY: &str = "NOISY HOST";

/// The cells that have numbers, but for counts that can be 0, with the name that they go by everywhere.
fn cells(report: &Report) -> impl Iterator<Item = (String, &CaseReport, &Row, &Numbers)> {
    report.rows().filter_map(|(case, row)| {
        let name = format!("{} {}", clean(&case.id), clean(&row.entry));
        let numbers = row.numbers.as_ref()?;
        let has_ratios = contest::is_judged(case.metric) && numbers.value.estimate > 0.0;
        has_ratios.then_some((name, case, row, numbers))
    })
}

/// Source: <https://bencher.dev/docs/reference/bencher-metric-format/>.
type BencherMetricFormat = BTreeMap<String, BTreeMap<&'static str, BencherMetric>>;

#[derive(Debug, Serialize)]
struct BencherMetric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

impl From<Figure> for BencherMetric {
    fn from(figure: Figure) -> Self {
        BencherMetric { value: figure.estimate, lower_value: figure.low, upper_value: figure.high }
    }
}

fn bencher(report: &Report) -> BencherMetricFormat {
    let measures = |case: &CaseReport, numbers: &Numbers| {
        let (measure, figure) = match case.metric {
            // Nanoseconds and operations a second are what Bencher's own two measures hold.
            Metric::Wall | Metric::WallPerOperation => ("latency", numbers.value),
            Metric::Capacity => ("throughput", numbers.value.inverse().times(1e9)),
            Metric::CpuPerOperation => ("cpu-time-per-operation", numbers.value),
            Metric::LatencyP99 => ("latency-p99", numbers.value),
            Metric::WorstGap => ("worst-gap", numbers.value),
            Metric::StillRunning => ("still-running", numbers.value),
            Metric::BytesPerTask => ("bytes-per-task", numbers.value),
            Metric::PeakMemory => ("peak-memory", numbers.value),
        };
        let mut measures = BTreeMap::from([(measure, figure.into())]);
        if let Some(cpu) = numbers.cpu_ns_per_operation.filter(|cpu| cpu.estimate > 0.0) {
            measures.insert("cpu-time-per-operation", cpu.into());
        }
        if let Some(bytes) = numbers.peak_memory_bytes {
            measures.insert("peak-memory", bytes.into());
        }
        if is_undecided(numbers) {
            measures.insert("undecided", Figure::without_interval(1.0).into());
        }
        measures
    };
    if is_noisy(report) {
        return BencherMetricFormat::new();
    }
    cells(report).map(|(name, case, _, numbers)| (name, measures(case, numbers))).collect()
}

/// Source: <https://github.com/benchmark-action/github-action-benchmark#examples>.
#[derive(Debug, Serialize)]
struct SmallerIsBetter {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

fn github_action(report: &Report) -> Vec<SmallerIsBetter> {
    let noise = if is_noisy(report) { format!("; {NOISY}") } else { String::new() };
    let machine = text::machine(&report.host);
    let entry =
        |(name, case, row, numbers): (String, &CaseReport, &Row, &Numbers)| SmallerIsBetter {
            name,
            unit: match case.metric {
                Metric::BytesPerTask | Metric::PeakMemory => "bytes",
                Metric::StillRunning => "operations",
                Metric::Capacity => "ns between requests",
                _ => "ns",
            },
            value: numbers.value.estimate,
            range: numbers.value.interval().map(|(low, high)| format!("{low} to {high}")),
            extra: format!(
                "{}: {}; {}; of limit {}{noise}; {} workers on {machine}",
                case.metric,
                text::shown_with_interval(case.metric, numbers.value),
                text::verdict(row),
                text::share(numbers.limit_share),
                case.workers
            ),
        };
    cells(report).map(entry).collect()
}

/// Source: <https://github.com/sharkdp/hyperfine#json>; times are seconds.
#[derive(Debug, Serialize)]
struct Hyperfine {
    results: Vec<HyperfineResult>,
}

#[derive(Debug, Serialize)]
struct HyperfineResult {
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    user: Option<f64>,
    system: Option<f64>,
    min: f64,
    max: f64,
    /// Of one timed run of the workload, one for each process.
    times: Vec<f64>,
    exit_codes: Vec<i32>,
    parameters: BTreeMap<&'static str, String>,
}

fn hyperfine(report: &Report) -> Hyperfine {
    let machine = text::machine(&report.host);
    let noise = if is_noisy(report) { NOISY } else { "quiet" };
    let parameters = |case: &CaseReport, row: &Row| {
        BTreeMap::from([
            ("case", clean(&case.id)),
            ("entry", clean(&row.entry)),
            ("workers", case.workers.to_string()),
            ("verdict", text::verdict(row)),
            ("noise", noise.to_owned()),
            ("machine", machine.clone()),
        ])
    };
    let result = |(command, case, row, numbers): (String, &CaseReport, &Row, &Numbers)| {
        let run = match case.metric {
            Metric::Wall => 1e-9,
            Metric::WallPerOperation => 1e-9 * case.operations as f64,
            _ => return None,
        };
        let times: Vec<f64> =
            numbers.observations.iter().map(|value| significant(value * run, 4)).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Some(HyperfineResult {
            command,
            mean: significant(mean, 4),
            stddev: (times.len() > 1).then(|| significant(variance.sqrt(), 3)),
            median: significant(median(&mut times.clone()), 4),
            user: numbers.user_ns.map(|ns| significant(ns * 1e-9, 3)),
            system: numbers.system_ns.map(|ns| significant(ns * 1e-9, 3)),
            min: times.iter().copied().fold(f64::INFINITY, f64::min),
            max: times.iter().copied().fold(0.0, f64::max),
            exit_codes: vec![0; times.len()],
            times,
            parameters: parameters(case, row),
        })
    };
    Hyperfine { results: cells(report).filter_map(result).collect() }
}

#[cfg(test)]
mod tests {
    use protocol::How;
    use serde_json::{Value, json};

    use super::*;
    use analysis::fixtures::{run, walls};

    fn exported(case: &str, export: Export) -> Value {
        let report = Report::of(&run(
            case,
            &[("tokio", walls(&[1_000_000, 1_020_000, 980_000], How::fair("f", "l")))],
        ));
        serde_json::from_str(&render(export, &report)).unwrap()
    }

    #[test]
    fn bencher_gets_its_measures_with_bounds() {
        let metric = exported("map", Export::Bencher);
        let latency = &metric["map tokio"]["latency"];
        assert_eq!(latency["value"], 1_000_000.0);
        assert!(latency["lower_value"].as_f64().unwrap() < 980_000.0, "{latency}");
        assert!(latency["upper_value"].as_f64().unwrap() > 1_020_000.0, "{latency}");
        assert_eq!(
            metric["map tokio"]["peak-memory"],
            json!({ "value": 5_243_000.0, "lower_value": 5_243_000.0, "upper_value": 5_243_000.0 })
        );
    }

    #[test]
    fn github_action_benchmark_gets_name_unit_value_and_range() {
        let array = exported("map", Export::GithubAction);
        let entry = &array[0];
        assert_eq!((&entry["name"], &entry["unit"]), (&json!("map tokio"), &json!("ns")));
        assert_eq!(entry["value"], 1_000_000.0);
        assert!(entry["range"].as_str().unwrap().contains(" to "), "{entry}");
    }

    #[test]
    fn hyperfine_gets_seconds_of_single_runs_and_only_elapsed_time() {
        let result = &exported("map", Export::Hyperfine)["results"][0];
        assert_eq!(result["command"], "map tokio");
        assert_eq!(result["times"], json!([0.001, 0.001_02, 0.000_98]));
        assert_eq!((&result["mean"], &result["median"]), (&json!(0.001), &json!(0.001)));
        assert_eq!(result["stddev"], 2e-5);
        assert_eq!(result["user"], 0.0005);
        assert_eq!(exported("echo/c=1", Export::Hyperfine)["results"], json!([]));
    }

    #[test]
    fn the_machine_is_on_every_value_that_has_room_for_it() {
        let mut run = run("map", &[("tokio", walls(&[1_000; 3], How::fair("f", "l")))]);
        run.host.cpu = Some("EPYC".to_owned());
        run.host.virtualisation = Some("kvm".to_owned());
        let mut of = |noisy: bool, export| -> Value {
            run.cases[0].iter_mut().for_each(|r| r.end.as_mut().unwrap().noise.noisy_host = noisy);
            let report = Report::of(&run);
            assert_eq!(left_out(export, &report).is_some(), noisy && export == Export::Bencher);
            serde_json::from_str(&render(export, &report)).unwrap()
        };
        let extra = of(false, Export::GithubAction)[0]["extra"].to_string();
        assert!(extra.contains("; 2 workers on EPYC, under kvm"), "{extra}");
        assert!(!extra.contains("NOISY"), "{extra}");
        let extra = of(true, Export::GithubAction)[0]["extra"].to_string();
        assert!(extra.contains("NOISY HOST"), "{extra}");
        let parameters = &of(true, Export::Hyperfine)["results"][0]["parameters"];
        assert_eq!(
            (&parameters["workers"], &parameters["noise"]),
            (&json!("2"), &json!("NOISY HOST"))
        );
        assert!(parameters["machine"].as_str().unwrap().starts_with("EPYC"), "{parameters}");
        assert_eq!(of(true, Export::Bencher), json!({}), "it has no room for the mark");
    }

    #[test]
    fn what_is_undecided_is_marked_and_what_is_0_by_nature_left_out() {
        let fair = || How::fair("f", "l");
        let few =
            run("map", &[("tokio", walls(&[10; 2], fair())), ("smol", walls(&[10; 2], fair()))]);
        let of = |run, export| -> Value {
            serde_json::from_str(&render(export, &Report::of(run))).unwrap()
        };
        let cell = &of(&few, Export::Bencher)["map tokio"];
        assert_eq!(cell["undecided"]["value"], 1.0);
        assert!(of(&few, Export::GithubAction)[0]["extra"].to_string().contains("undecided"));
        let decided = run("map", &[("tokio", walls(&[10; 3], fair()))]);
        assert_eq!(of(&decided, Export::Bencher)["map tokio"].get("undecided"), None);

        let mut counts = run("map", &[("tokio", walls(&[10; 3], fair()))]);
        counts.plan.cases[0].metric = Metric::StillRunning;
        assert_eq!(of(&counts, Export::Bencher), json!({}));
        assert_eq!(of(&counts, Export::GithubAction), json!([]));
        let reason = left_out(Export::GithubAction, &Report::of(&counts)).unwrap();
        assert!(reason.starts_with("1 value that can be 0 is left out"), "{reason}");
    }
}
