//! Words and numbers that all formats share, and the taming of text from outside.

use analysis::shown::Shown;
pub use analysis::text::{By, interval, ratio, rounds, scaled, shown};
use protocol::clean;
use protocol::units::{self, Scale};
use protocol::{FailureKind, Standing};
use record::models;
use workloads::Metric;

use analysis::Report;
use analysis::case::{CaseReport, Numbers, Row, Twin};
use analysis::setting;
use judge::{Figure, Verdict};
use record::program::{Build, Origin};
use record::{CpuQuota, Host};

/// An entry's name, with its standing where that is not plain.
pub fn name(row: &Row) -> String {
    let off_label = if row.standing == Some(Standing::OffLabel) { ", off-label" } else { "" };
    format!("{}{off_label}", clean(&row.entry))
}

/// A verdict in a word or two.
pub fn verdict(row: &Row) -> String {
    if let Some(failure) = &row.failure {
        return failure.kind.to_string();
    }
    if row.excluded.is_some() && row.numbers.is_some() {
        return "excluded".to_owned();
    }
    let word = match (row.standing, row.numbers.as_ref().and_then(|n| n.verdict)) {
        (Some(Standing::Misuse), _) => "misuse",
        (Some(Standing::Floor), _) => "floor",
        (_, Some(Verdict::Slower)) => return slower_than(row, By::Metric),
        (_, Some(verdict)) => verdict.word(),
        (_, None) => "no number",
    };
    word.to_owned()
}

/// What a slower entry is slower than, and by how much at least, such as `slower than rayon, ≥ 1.18×`.
pub fn slower_than(row: &Row, by: By) -> String {
    let judged = row.numbers.as_ref().map(|numbers| by.of(numbers));
    match judged {
        Some((_, Some(ratio), Some(rival))) => match ratio.at_least() {
            Some(bound) => format!("slower than {}, ≥ {bound}", clean(rival)),
            None => format!("slower than {}", clean(rival)),
        },
        _ => Verdict::Slower.word().to_owned(),
    }
}

/// A verdict in as little room as a narrow table has, such as `≥ 1.18× rayon`.
pub fn short_verdict(row: &Row) -> String {
    let judged = row.numbers.as_ref().map(|numbers| By::Metric.of(numbers));
    match (row.standing, judged) {
        (Some(Standing::Misuse | Standing::Floor), _) => verdict(row),
        (_, Some((Some(Verdict::Slower), Some(ratio), Some(rival)))) if row.is_contestant() => {
            let bound = ratio.at_least().unwrap_or_default();
            format!("≥ {bound} {}", clean(rival))
        }
        _ => verdict(row),
    }
}

/// A cell of the matrix of workload × strategy; empty where an entry takes no part, and by CPU time where it has
/// no number.
pub fn matrix_cell(case: &CaseReport, entry: &str, by: By) -> String {
    let Some(row) = case.rows.iter().find(|row| row.entry == entry) else { return String::new() };
    let numbers = row.numbers.as_ref();
    let (verdict, ratio, _) = numbers.map(|numbers| by.of(numbers)).unwrap_or_default();
    match (&row.failure, numbers, verdict) {
        (_, None, _) if by == By::CpuTime => String::new(),
        (Some(failure), ..) if by == By::Metric => match failure.kind {
            FailureKind::Unsupported => "—".to_owned(),
            kind => kind.to_string(),
        },
        (_, None, _) => "not measured".to_owned(),
        _ if row.standing == Some(Standing::Misuse) => {
            let ratio = ratio.map_or_else(String::new, |ratio| ratio.shown(Scale::Ratio));
            format!("misuse {ratio}").trim_end().to_owned()
        }
        (.., Some(verdict)) => judged_cell(case, row, by, verdict),
        (_, Some(numbers), None) if by == By::Metric => shown(case.metric, numbers.value),
        _ => String::new(),
    }
}

fn judged_cell(case: &CaseReport, row: &Row, by: By, verdict: Verdict) -> String {
    let (_, ratio, to) = row.numbers.as_ref().map(|numbers| by.of(numbers)).unwrap_or_default();
    let shown = || ratio.map_or_else(String::new, |ratio| ratio.shown(Scale::Ratio));
    match verdict {
        Verdict::Best | Verdict::Tied | Verdict::Alone => verdict.word().to_owned(),
        Verdict::Undecided => format!("{} ?", shown()),
        Verdict::Slower if to == by.leader(case) => shown(),
        // Only another rival shows it, so that the ratio to the leader is not known well.
        Verdict::Slower => {
            let bound = ratio.and_then(|ratio| ratio.at_least());
            bound.map_or_else(shown, |bound| format!("≥ {bound}"))
        }
    }
}

/// What is called tied.
pub fn tied(report: &Report) -> String {
    let percent = ((report.design.margin - 1.0) * 1e4).round() / 1e2;
    format!("no more than {percent} % behind anyone")
}

/// Why contestants are measured although they are discontinued, where some are.
pub fn discontinued(report: &Report) -> impl Iterator<Item = &'static str> {
    report.contestants().filter_map(|entry| models::find(entry)?.discontinued)
}

/// Limit reached, such as `97.1 % [96.0, 98.2]`.
pub fn share(share: Option<Figure>) -> String {
    or_dash(share, |share| share.shown_with_interval(Scale::Share))
}

/// With its interval, such as `51.3 ms [50.1, 52.4]`.
pub fn shown_with_interval(metric: Metric, value: Figure) -> String {
    if metric == Metric::StillRunning {
        return shown(metric, value);
    }
    let (scale, value) = scaled(metric, value);
    value.shown_with_interval(scale)
}

/// A figure that may be missing.
pub fn or_dash<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "—".to_owned(), show)
}

/// Prediction beside measurement, where there is one.
pub fn prediction(numbers: &Numbers) -> Option<String> {
    let predicted = numbers.predicted_ns?;
    Some(format!(
        "predicted {}, measured {}",
        units::duration(predicted as f64),
        numbers.wall_ns.shown(Scale::Duration)
    ))
}

/// What else was noticed of an entry.
pub fn remarks(numbers: &Numbers) -> Vec<String> {
    let ns = |ns: u64| units::duration(ns as f64);
    let mut remarks = Vec::from_iter(prediction(numbers));
    remarks.extend(numbers.latency_p50_ns.zip(numbers.latency_p99_ns).map(|(p50, p99)| {
        let (p50, p99) = (p50.shown(Scale::Duration), p99.shown(Scale::Duration));
        format!("latency {p50} at the median, {p99} at p99")
    }));
    remarks.extend(
        numbers.send_lag_p99_ns.map(|lag| format!("the generator sent {} late at p99", ns(lag))),
    );
    remarks.extend(numbers.slowest_stage_ns.map(|stage| format!("slowest stage {}", ns(stage))));
    remarks.extend(numbers.bytes_per_task.map(|(user, kernel)| {
        format!("{user} bytes a task in the process, {kernel} in the kernel")
    }));
    remarks.extend(
        numbers.active_turn_ns.map(|turn| format!("a turn of the active tasks every {}", ns(turn))),
    );
    remarks.extend(numbers.peak_depth.map(|depth| format!("at most {depth} between two stages")));
    remarks
}

/// The commands that do the run again, below what they cannot bring back.
pub fn reproduction(report: &Report) -> String {
    let host = &report.host;
    let revision = host.git_revision.as_deref().unwrap_or_default();
    let known = !revision.is_empty() && revision.chars().all(|c| c.is_ascii_hexdigit());
    let mut lines = Vec::new();
    if host.git_modified == Some(true) {
        lines.push("# the tree was modified: this checkout is not what was measured".to_owned());
    }
    if host.origin == Some(Origin::ReadyBuilt) {
        lines.push(
            "# the programs came ready-built: give the folder that holds the same ones".to_owned(),
        );
    }
    if known {
        lines.push(format!("git checkout {revision}"));
    }
    lines.push(clean(&report.command));
    lines.join("\n")
}

/// What a reader has to know before anything else; nothing where all is well.
pub fn banners(report: &Report) -> Vec<String> {
    report.noise.banner().into_iter().chain(unaligned(report)).collect()
}

/// That kernels lie where the linker happened to put them.
fn unaligned(report: &Report) -> Option<String> {
    let programs = report.host.programs.iter().flatten();
    let lost = programs.filter(|(_, program)| program.aligned == Some(false));
    let lost: Vec<_> = lost.map(|(strategy, _)| clean(strategy)).collect();
    (!lost.is_empty()).then(|| {
        format!(
            "NOT ALIGNED: in the programs of {} functions do not start on cache lines, which alone can make a \
             kernel 12 % slower or faster. Build them with -Cllvm-args=-align-all-functions=6.",
            lost.join(", ")
        )
    })
}

/// The machine and the tools, by name.
pub fn host(report: &Report) -> Vec<(&'static str, String)> {
    let host = &report.host;
    let text = |text: &Option<String>| or_dash(text.as_ref(), String::clone);
    let count = |count: Option<usize>| or_dash(count, |count| count.to_string());
    let modified = if host.git_modified == Some(true) { ", modified" } else { "" };
    let versions: Vec<_> =
        host.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let build = host.origin.as_ref().and_then(Origin::build);
    let c_library = setting::of_programs(host, |program| program.c_library.clone());
    let signature = host.cpu_signature.as_ref();
    let signature = signature.map_or_else(String::new, |numbers| format!(" ({numbers})"));
    vec![
        ("CPU", format!("{}{signature}", text(&host.cpu))),
        (
            "CPUs online / allowed",
            format!("{} / {}", count(host.cpus_online), count(host.cpus_allowed)),
        ),
        ("CPU quota", or_dash(host.cpu_quota, setting::quota)),
        ("virtualisation", text(&host.virtualisation)),
        ("governor", text(&host.governor)),
        ("memory", or_dash(host.memory_bytes, |size| units::bytes(size as f64))),
        ("kernel", text(&host.kernel)),
        ("file system", text(&host.file_system)),
        ("C library here / of the programs", {
            format!("{} / {}", text(&host.c_library), text(&c_library))
        }),
        ("programs", or_dash(host.origin.as_ref(), setting::origin)),
        ("rustc", text(&setting::compilers(host))),
        ("target", or_dash(build, |build| build.target.clone())),
        ("compiler flags", or_dash(build, |build| build.rustflags.join(" "))),
        ("cargo profile", or_dash(build, Build::profile_text)),
        (
            "revision",
            or_dash(host.git_revision.as_ref(), |revision| format!("{revision}{modified}")),
        ),
        ("Cargo.lock (BLAKE3)", text(&host.lock_file_blake3)),
        ("allocator", host.allocator.clone()),
        ("environment", or_dash(host.environment.as_ref(), setting::variables)),
        ("crates", versions.join(", ")),
        ("seed", report.seed.to_string()),
    ]
}

/// Whether it can be followed without harm: a link of a worker can be anything.
pub fn is_web_address(link: &str) -> bool {
    (link.starts_with("https://") || link.starts_with("http://"))
        && !link.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// How an entry fared against itself.
pub fn twin(twin: &Twin) -> String {
    let ratio = or_dash(twin.ratio, interval);
    let verdict = match twin.verdict {
        Verdict::Tied => "certified as tied",
        Verdict::Slower => "called different, so that no verdict of this case can be trusted",
        _ => "neither certified as tied nor called different",
    };
    format!("{} against itself: {ratio} in {}, {verdict}", twin.entry, rounds(twin.rounds))
}

/// What elementary things cost on this machine.
pub fn calibration(report: &Report) -> Option<String> {
    let lines = report.host.calibration.as_ref()?.lines();
    let figures: Vec<_> = lines.iter().map(|(label, value)| format!("{label} {value}")).collect();
    Some(format!("This machine: {}.", figures.join(", ")))
}

/// The CPU and how much of it could be used, for a reader of single values.
pub fn machine(host: &Host) -> String {
    let cpu = host.cpu.as_deref().unwrap_or("unknown CPU");
    let cpus = host.cpus_allowed.map_or_else(String::new, |cpus| format!(", {cpus} CPUs allowed"));
    let quota = match host.cpu_quota {
        Some(CpuQuota::Cpus(_)) => host.cpu_quota.map(setting::quota),
        Some(CpuQuota::Unlimited) | None => None,
    };
    let quota = quota.map_or_else(String::new, |quota| format!(", a CPU quota of {quota}"));
    let under = host.virtualisation.as_ref().filter(|kind| *kind != "none");
    let under = under.map_or_else(String::new, |kind| format!(", under {kind}"));
    clean(&format!("{cpu}{cpus}{quota}{under}"))
}

/// One line on what was measured and where.
pub fn provenance(report: &Report) -> String {
    let host = &report.host;
    let ready_built = if host.origin == Some(Origin::ReadyBuilt) { ", ready-built" } else { "" };
    let rustc = setting::compilers(host).map(|version| format!("rustc {version}"));
    let kernel = host.kernel.as_deref().unwrap_or("unknown kernel");
    let rates = report.capacity.as_ref().map_or_else(String::new, |capacity| {
        let (rate, entry) = (units::per_second(capacity.per_second), &capacity.entry);
        format!("; loads of serve are shares of {rate}, the capacity of {entry}")
    });
    let rounds: Vec<_> = report.cases.iter().map(|case| case.rounds).filter(|&n| n > 1).collect();
    let rounds = match (rounds.iter().min(), rounds.iter().max()) {
        (Some(few), Some(many)) if few < many => format!("{few} to {many}"),
        (Some(few), _) => few.to_string(),
        (None, _) => "1".to_owned(),
    };
    clean(&format!(
        "{} profile, {} workers, {rounds} rounds a case, seed {}; {}; Linux {kernel}; {}{ready_built}{rates}",
        report.profile,
        report.workers,
        report.seed,
        machine(host),
        rustc.as_deref().unwrap_or("unknown rustc")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    fn report() -> Report {
        use analysis::fixtures::{run, walls};
        let fair = protocol::How::fair("f", "l");
        Report::of(&run("map", &[("tokio", walls(&[10, 11, 12], fair))]))
    }

    #[test]
    fn a_modified_tree_and_ready_built_programs_are_said_where_the_run_is_done_again() {
        let mut report = report();
        report.host.git_revision = Some("abc123".to_owned());
        assert!(reproduction(&report).starts_with("git checkout abc123\ncargo run"));
        report.host.git_modified = Some(true);
        let modified = "# the tree was modified: this checkout is not what was measured\ngit checkout abc123\n";
        assert!(reproduction(&report).starts_with(modified), "{}", reproduction(&report));
        report.host = Host { origin: Some(Origin::ReadyBuilt), ..Default::default() };
        assert!(reproduction(&report).starts_with("# the programs came ready-built"));
    }

    #[test]
    fn lost_alignment_is_said_before_anything_else() {
        let mut report = report();
        let program = |aligned| record::program::Executable { aligned, ..Default::default() };
        let programs = [("rayon", Some(true)), ("smol", None), ("tokio", Some(false))];
        let programs = programs.map(|(name, aligned)| (name.to_owned(), program(aligned)));
        report.host.programs = Some(programs[..2].iter().cloned().collect());
        assert_eq!(banners(&report), [""; 0]);
        report.host.programs = Some(programs.into());
        assert!(banners(&report)[0].starts_with("NOT ALIGNED: in the programs of tokio functions"));
        let look = crate::layout::Look { columns: 200, colour: false };
        let terminal = crate::terminal::render(&report, look);
        assert!(terminal.starts_with("NOT ALIGNED"), "{terminal}");
        let markdown = crate::markdown::render(&crate::sections::document(&report));
        assert!(markdown.contains("> **NOT ALIGNED"), "{markdown}");
        assert!(
            crate::render::html::render(&crate::sections::document(&report))
                .contains("role=\"note\">NOT ALIGNED")
        );
    }

    fn throttled_report(quota: f64, throttled: f64) -> Report {
        let mut run = analysis::fixtures::run(
            "map",
            &[("tokio", analysis::fixtures::walls(&[10, 11, 12], None))],
        );
        run.host.cpu_quota = Some(CpuQuota::Cpus(quota));
        for round in &mut run.cases[0] {
            let noise = &mut round.end.as_mut().unwrap().noise;
            *noise = record::noise::Noise {
                cpu_quota: Some(quota),
                throttled: Some(throttled),
                noisy_host: throttled > record::noise::MAX_THROTTLED,
                ..*noise
            };
        }
        Report::of(&run)
    }

    #[test]
    fn a_cpu_quota_is_named_at_the_head_and_in_the_banner_if_it_throttled() {
        let quiet = throttled_report(2.0, 0.0);
        assert_eq!(quiet.noise.banner(), None);
        assert!(provenance(&quiet).contains("a CPU quota of 2 CPUs;"));
        let throttled = throttled_report(1.5, 0.3);
        assert!(provenance(&throttled).contains("a CPU quota of 1.5 CPUs, which is not whole"));
        assert!(host(&throttled).iter().any(|(name, _)| *name == "CPU quota"));
        let banner = throttled.noise.banner().unwrap();
        assert!(banner.starts_with("NOISY HOST: a CPU quota of 1.5 CPUs stopped"), "{banner}");
        assert!(banner.contains("30.0 % of the CPU time that it gives"), "{banner}");
        assert!(throttled.cases[0].notes[0].starts_with("The CPU quota stopped"));
    }
}
