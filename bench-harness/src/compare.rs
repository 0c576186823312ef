//! `compare`: what changed between two runs, and whether their verdicts contradict each other.

use std::collections::BTreeMap;
use std::fmt::Write;

use worker::{observation, units};
use workloads::Metric;

use crate::comparable;
use crate::contest::{self, Contest};
use crate::figure::Figure;
use crate::host::Host;
use crate::journal::Run;
use crate::judge::{self, Judgement, MARGIN, Verdict};
use crate::report::text::{clean, interval};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// No more than the margin apart.
    Same,
    Faster,
    Slower,
    /// Like all others of the case, so that it is the machine rather than the entry.
    WithAll,
    Unclear,
}

/// An entry of a case in both runs.
#[derive(Debug)]
struct Line {
    entry: String,
    values: [f64; 2],
    /// The second run's value by the first's.
    ratio: Figure,
    /// The same against what the others of the case changed by.
    beside_others: Figure,
    change: Change,
    verdicts: [Option<Verdict>; 2],
}

/// Compares two runs and says in words what changed.
///
/// # Errors
/// If they cannot be compared.
pub(crate) fn compare(one: &Run, other: &Run) -> anyhow::Result<String> {
    comparable::check(one, other)?;
    let mut out = header(one, other);
    let (mut counts, mut contradictions, mut verdicts) = (BTreeMap::new(), Vec::new(), (0, 0));
    for (a, b) in comparable::pairs(&one.plan, &other.plan) {
        if !contest::is_judged(a.metric) {
            continue;
        }
        let lines = lines(one, other, &a.id);
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{} (by {}, smaller is better)", clean(&a.id), a.metric);
        if a.params != b.params {
            let _ = writeln!(out, "  settled anew: {} → {}", a.params, b.params);
        }
        for line in &lines {
            *counts.entry(word(line.change)).or_insert(0) += 1;
            let _ = writeln!(out, "  {}", shown(a.metric, line));
            verdicts.0 += usize::from(line.verdicts.iter().all(Option::is_some));
            verdicts.1 +=
                usize::from(line.verdicts[0].is_some() && line.verdicts[0] == line.verdicts[1]);
            if contradict(line.verdicts) {
                let [first, second] = line.verdicts.map(verdict_word);
                contradictions.push(format!(
                    "{}: {} is {first} in {} and {second} in {}",
                    a.id, line.entry, one.name, other.name
                ));
            }
        }
    }
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let _ = writeln!(out, "\n{}", counts.join(", "));
    let _ = writeln!(out, "{} of {} verdicts are identical", verdicts.1, verdicts.0);
    if contradictions.is_empty() {
        out.push_str("no verdict contradicts another\n");
    }
    for contradiction in contradictions {
        let _ = writeln!(out, "CONTRADICTION: {}", clean(&contradiction));
    }
    Ok(out)
}

/// What the two runs were measured on, as far as it differs.
fn header(one: &Run, other: &Run) -> String {
    let mut out = format!("{} → {}\n", clean(&one.name), clean(&other.name));
    let (a, b) = (&one.host, &other.host);
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut differences = vec![
        ("revision", text(&a.git_revision), text(&b.git_revision)),
        ("rustc", text(&a.rustc), text(&b.rustc)),
        ("CPU", text(&a.cpu), text(&b.cpu)),
        ("kernel", text(&a.kernel), text(&b.kernel)),
    ];
    let versions = |host: &Host| host.versions.clone();
    for (name, version) in versions(a) {
        let now = b.versions.get(&name).cloned().unwrap_or_else(|| "none".to_owned());
        differences.push(("crate", format!("{name} {version}"), format!("{name} {now}")));
    }
    differences.retain(|(_, a, b)| a != b);
    for (name, a, b) in &differences {
        let _ = writeln!(out, "{name}: {} → {}", clean(a), clean(b));
    }
    if differences.is_empty() {
        out.push_str("same revision, versions and machine\n");
    }
    out.push_str(
        "Each interval holds for its case with 95 %, for these two sessions: what differs from session to \
         session of the same programs is not in it. Pool several sessions of each side to see that.\n",
    );
    out
}

/// The contestants that both runs have measured in a case.
fn lines(one: &Run, other: &Run, id: &str) -> Vec<Line> {
    let sides = [side(one, id), side(other, id)];
    let common: Vec<_> = sides[0].keys().filter(|entry| sides[1].contains_key(*entry)).collect();
    let of = |entry: &str| [&sides[0][entry], &sides[1][entry]];
    let shift = |entry: &str| (of(entry)[1].typical / of(entry)[0].typical).ln();
    let mut shifts: Vec<_> = common.iter().map(|entry| shift(entry)).collect();
    let common_shift = judge::median(&mut shifts);
    common
        .iter()
        .map(|entry| {
            let [before, after] = of(entry);
            let theta = shift(entry);
            let half = judge::unpaired_half(&before.logs, &after.logs, common.len());
            let beside = judge::unpaired_half(&before.centred, &after.centred, common.len());
            let change = change(theta, half);
            let beside_others = theta - common_shift;
            let alone = common.len() < 3 || self::change(beside_others, beside) == change;
            Line {
                entry: (*entry).clone(),
                values: [before.typical, after.typical],
                ratio: Figure::of_log(theta, half),
                beside_others: Figure::of_log(beside_others, beside),
                change: match change {
                    Change::Faster | Change::Slower if !alone => Change::WithAll,
                    other => other,
                },
                verdicts: [before.verdict, after.verdict],
            }
        })
        .collect()
}

fn change(theta: f64, half: Option<f64>) -> Change {
    let Some(half) = half else { return Change::Unclear };
    match () {
        () if theta - half > MARGIN.ln() => Change::Slower,
        () if theta + half < -MARGIN.ln() => Change::Faster,
        () if theta.abs() + half < MARGIN.ln() => Change::Same,
        () => Change::Unclear,
    }
}

/// What one run says of a contestant.
struct Side {
    typical: f64,
    /// Logarithms by round, and the same less the round's median.
    logs: Vec<f64>,
    centred: Vec<f64>,
    verdict: Option<Verdict>,
}

fn side(run: &Run, id: &str) -> BTreeMap<String, Side> {
    let Some(case) = run.plan.cases.iter().position(|case| case.id == id) else {
        return BTreeMap::new();
    };
    let contest = Contest::of(&run.cases[case], &run.plan.entries);
    let series = contest.series();
    let judgement = Judgement::of(&series, &run.plan.design);
    let contestants: Vec<_> = series.iter().filter(|series| series.contestant).collect();
    let centre = |round: usize| {
        let values = contestants.iter().filter_map(|series| series.values[round]);
        judge::median(&mut values.map(f64::ln).collect::<Vec<_>>())
    };
    // Only rounds in which all took part have a centre that means the same.
    let full = |round: usize| contestants.iter().all(|series| series.values[round].is_some());
    let side = |(index, observed): (usize, &contest::Observed<'_>)| {
        let values = || series[index].values.iter().enumerate();
        let side = Side {
            typical: judge::own_value(
                &series[index].values.iter().flatten().copied().collect::<Vec<_>>(),
            )
            .estimate,
            logs: values().filter_map(|(_, value)| value.map(f64::ln)).collect(),
            centred: values()
                .filter(|(round, _)| full(*round))
                .filter_map(|(round, value)| Some((*value)?.ln() - centre(round)))
                .collect(),
            verdict: judgement.verdict(index),
        };
        (run.plan.entries[observed.entry].id.clone(), side)
    };
    let observed = contest.observed.iter().enumerate();
    observed.filter(|(_, observed)| observed.contestant).map(side).collect()
}

/// Whether one run calls an entry best or tied and the other slower.
fn contradict(verdicts: [Option<Verdict>; 2]) -> bool {
    let good = |verdict| matches!(verdict, Some(Verdict::Best | Verdict::Tied));
    let slower = |verdict| verdict == Some(Verdict::Slower);
    let [one, other] = verdicts;
    (good(one) && slower(other)) || (good(other) && slower(one))
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Faster => "faster",
        Change::Slower => "slower",
        Change::WithAll => "changed with all others",
        Change::Unclear => "unclear",
    }
}

fn verdict_word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Best) => "best",
        Some(Verdict::Tied) => "tied",
        Some(Verdict::Slower) => "slower",
        Some(Verdict::Undecided) => "undecided",
        Some(Verdict::Alone) => "alone",
        None => "not judged",
    }
}

fn shown(metric: Metric, line: &Line) -> String {
    let Line { entry, values, ratio, beside_others, change, verdicts } = line;
    let [before, after] = values.map(|value| observation::shown(metric, value));
    let [was, is] = verdicts.map(verdict_word);
    let verdict = if was == is { was.to_owned() } else { format!("{was} → {is}") };
    format!(
        "{:12} {before} → {after}  {}, beside the others {}: {}; {verdict}",
        clean(entry),
        interval(*ratio),
        units::ratio(beside_others.estimate),
        word(*change)
    )
}

#[cfg(test)]
mod tests {
    use worker::How;

    use super::*;
    use crate::report::tests::{run, walls};

    fn example(tokio: [u64; 4], rayon: [u64; 4], smol: [u64; 4]) -> Run {
        let fair = || How::fair("f", "l");
        let entry = |walls_ns: &[u64]| walls(walls_ns, fair());
        run("map", &[("tokio", entry(&tokio)), ("rayon", entry(&rayon)), ("smol", entry(&smol))])
    }

    fn changes(one: &Run, other: &Run) -> Vec<(String, Change)> {
        lines(one, other, "map").into_iter().map(|line| (line.entry, line.change)).collect()
    }

    #[test]
    fn an_entry_that_changed_is_told_from_a_machine_that_did() {
        let before = example(
            [1_000, 1_002, 999, 1_001],
            [1_100, 1_102, 1_099, 1_101],
            [1_500, 1_503, 1_499, 1_501],
        );
        let tokio = example(
            [1_300, 1_302, 1_299, 1_301],
            [1_100, 1_102, 1_099, 1_101],
            [1_500, 1_503, 1_499, 1_501],
        );
        let entry = |name: &str, change| (name.to_owned(), change);
        assert_eq!(
            changes(&before, &tokio),
            [
                entry("rayon", Change::Same),
                entry("smol", Change::Same),
                entry("tokio", Change::Slower)
            ]
        );
        let machine = example(
            [1_200, 1_202, 1_199, 1_201],
            [1_320, 1_322, 1_319, 1_321],
            [1_800, 1_803, 1_799, 1_801],
        );
        assert!(changes(&before, &machine).iter().all(|(_, change)| *change == Change::WithAll));
        let text = compare(&before, &tokio).unwrap();
        assert!(
            text.contains("CONTRADICTION: map: tokio is best in example and slower in example"),
            "{text}"
        );
    }

    #[test]
    fn too_few_rounds_are_unclear() {
        let fair = || How::fair("f", "l");
        let short = |wall: u64| {
            run(
                "map",
                &[("tokio", walls(&[wall, wall], fair())), ("rayon", walls(&[10, 10], fair()))],
            )
        };
        let changes = changes(&short(100), &short(900));
        assert!(changes.iter().all(|(_, change)| *change == Change::Unclear));
    }
}
