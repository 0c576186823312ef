//! `compare`: what changed between two runs, and whether their verdicts contradict each other.

use std::collections::BTreeMap;
use std::fmt::Write;

use protocol::units;
use workloads::Metric;
use workloads::observation;

use analysis::Report;
use analysis::Run;
use analysis::comparable;
use analysis::contest;
use analysis::setting;
use analysis::setting::Setting;
use analysis::text::interval;
use judge::Verdict;
use protocol::clean;
use record::PlannedCase;

use analysis::change::{Change, Company, Line, Side, lines};

/// Compares two runs and says in words what changed.
///
/// # Errors
/// If they cannot be compared.
pub(crate) fn compare(one: &Run, other: &Run) -> anyhow::Result<String> {
    comparable::check(one, other)?;
    let sides = [one, other].map(|run| Side { run, report: Report::of(run) });
    let mut body = String::new();
    let (mut counts, mut contradictions, mut verdicts) = (BTreeMap::new(), Vec::new(), (0, 0));
    let mut shown_cases = 0;
    for (a, b) in comparable::pairs(&one.plan, &other.plan) {
        if !contest::is_judged(a.metric) {
            continue;
        }
        if let Some((before, after)) = comparable::other_rates(a, b) {
            let _ = writeln!(
                body,
                "\n{}: not compared, because it was driven at {before} requests a second in one run and at \
                 {after} in the other, and what a request takes depends on the rate",
                clean(&a.id)
            );
            continue;
        }
        let lines = lines(&sides, &a.id);
        if lines.is_empty() {
            continue;
        }
        shown_cases += 1;
        let _ = writeln!(body, "\n{} (by {}, smaller is better)", clean(&a.id), a.metric);
        if a.params != b.params {
            let _ = writeln!(body, "  settled anew: {} → {}", a.params, b.params);
        }
        for line in &lines {
            *counts.entry(word(line.change)).or_insert(0) += 1;
            let _ = writeln!(body, "  {}", shown(a.metric, line));
            verdicts.0 += usize::from(line.verdicts.iter().all(Option::is_some));
            verdicts.1 +=
                usize::from(line.verdicts[0].is_some() && line.verdicts[0] == line.verdicts[1]);
        }
        contradictions.extend(contradictions_in(a, &lines, [&one.name, &other.name]));
    }
    let intervals: usize = counts.values().sum();
    let mut out = header(&sides, intervals, shown_cases);
    out.push_str(&body);
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let counts = match counts.is_empty() {
        true => "no contestant was measured and compared in both".to_owned(),
        false => counts.join(", "),
    };
    let _ = writeln!(out, "\n{counts}");
    let _ = writeln!(out, "{} of {} verdicts are identical", verdicts.1, verdicts.0);
    if contradictions.is_empty() {
        out.push_str("no verdict contradicts another\n");
    }
    for contradiction in contradictions {
        let _ = writeln!(out, "CONTRADICTION: {}", clean(&contradiction));
    }
    Ok(out)
}

/// What the two runs were measured with and on, as far as it differs or is not known, and what the intervals
/// mean.
fn header(sides: &[Side<'_>; 2], intervals: usize, cases: usize) -> String {
    let [one, other] = sides.each_ref().map(|side| clean(&side.run.name));
    let mut out = format!("{one} → {other}\n");
    let [a, b] = sides.each_ref().map(|side| Setting::of_run(side.run));
    let differences = setting::differences(&a, &b);
    for difference in &differences {
        let _ = writeln!(out, "{}", clean(&difference.to_string()));
    }
    let unknown = setting::unknown(&a, &b);
    if !unknown.is_empty() {
        let _ =
            writeln!(out, "not on record in both, so that it may differ: {}", unknown.join(", "));
    } else if differences.is_empty() {
        out.push_str("same programs, harness, flags, versions and machine\n");
    }
    for side in sides {
        if let Some(banner) = side.report.noise.banner() {
            let _ = writeln!(out, "{}: {}", clean(&side.run.name), clean(&banner));
        }
    }
    let _ = writeln!(
        out,
        "{} in {}: those of a case hold together with 95 %, so that of many cases \
         a few may err. They hold for these two sessions: what differs from session to session of the same \
         programs is not in them. Pool several sessions of each side to see that.",
        counted(intervals, "interval"),
        counted(cases, "case")
    );
    out
}

/// A number of things in words.
fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Where one run calls an entry best or tied and the other slower, and where each calls another the best.
fn contradictions_in(case: &PlannedCase, lines: &[Line], names: [&str; 2]) -> Vec<String> {
    let [one, other] = names;
    let good = |verdict| matches!(verdict, Some(Verdict::Best | Verdict::Tied));
    let slower = |verdict| verdict == Some(Verdict::Slower);
    let reversed = lines.iter().filter(|line| {
        let [before, after] = line.verdicts;
        (good(before) && slower(after)) || (good(after) && slower(before))
    });
    let mut found: Vec<_> = reversed
        .map(|line| {
            let [before, after] = line.verdicts.map(verdict_word);
            format!("{}: {} is {before} in {one} and {after} in {other}", case.id, line.entry)
        })
        .collect();
    let best = |side: usize| {
        lines.iter().find(|line| line.verdicts[side] == Some(Verdict::Best)).map(|line| &line.entry)
    };
    if let (Some(before), Some(after)) = (best(0), best(1))
        && before != after
        && found.is_empty()
    {
        found.push(format!("{}: {before} is best in {one} and {after} in {other}", case.id));
    }
    found
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Faster(Company::Alone) => "faster",
        Change::Slower(Company::Alone) => "slower",
        Change::Faster(Company::Unknown) => "faster, not known whether alone",
        Change::Slower(Company::Unknown) => "slower, not known whether alone",
        Change::Faster(Company::WithAll) | Change::Slower(Company::WithAll) => {
            "changed with all others"
        }
        Change::Unclear => "unclear",
    }
}

fn verdict_word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("not judged", Verdict::word)
}

fn shown(metric: Metric, line: &Line) -> String {
    let Line { entry, values, ratio, beside_others, change, verdicts } = line;
    let [before, after] = values.map(|value| observation::shown(metric, value));
    let [was, is] = verdicts.map(verdict_word);
    let verdict = if was == is { was.to_owned() } else { format!("{was} → {is}") };
    let beside = beside_others.map_or_else(String::new, |ratio| {
        format!(", beside the others {}", units::ratio(ratio.estimate))
    });
    format!(
        "{:12} {before} → {after}  {}{beside}: {}; {verdict}",
        clean(entry),
        interval(*ratio),
        word(*change)
    )
}

#[cfg(test)]
mod tests {
    use protocol::How;

    use super::*;
    use analysis::fixtures::{run, walls};
    use judge::Figure;

    const TOKIO: [u64; 5] = [1_000, 1_002, 999, 1_001, 1_000];
    const RAYON: [u64; 5] = [1_100, 1_102, 1_099, 1_101, 1_100];
    const SMOL: [u64; 5] = [1_500, 1_503, 1_499, 1_501, 1_500];

    fn example(entries: &[(&str, [u64; 5])]) -> Run {
        let outcomes: Vec<_> = entries
            .iter()
            .map(|(name, values)| (*name, walls(values, How::fair("f", "l"))))
            .collect();
        run("map", &outcomes)
    }

    fn three(tokio: [u64; 5], rayon: [u64; 5], smol: [u64; 5]) -> Run {
        example(&[("tokio", tokio), ("rayon", rayon), ("smol", smol)])
    }

    fn times(factor: f64, values: [u64; 5]) -> [u64; 5] {
        values.map(|value| (value as f64 * factor).round() as u64)
    }

    fn lines_of(one: &Run, other: &Run) -> Vec<Line> {
        lines(&[one, other].map(|run| Side { run, report: Report::of(run) }), "map")
    }

    fn changes(one: &Run, other: &Run) -> Vec<(String, &'static str)> {
        lines_of(one, other).into_iter().map(|line| (line.entry, word(line.change))).collect()
    }

    fn is(entry: &str, word: &'static str) -> (String, &'static str) {
        (entry.to_owned(), word)
    }

    #[test]
    fn an_entry_that_changed_is_told_from_a_machine_that_did() {
        let before = three(TOKIO, RAYON, SMOL);
        let tokio = three(times(1.3, TOKIO), RAYON, SMOL);
        assert_eq!(
            changes(&before, &tokio),
            [is("rayon", "same"), is("smol", "same"), is("tokio", "slower")]
        );
        let machine = three(times(1.2, TOKIO), times(1.2, RAYON), times(1.2, SMOL));
        let with_all = "changed with all others";
        assert!(changes(&before, &machine).iter().all(|(_, word)| *word == with_all));
        let text = compare(&before, &tokio).unwrap();
        assert!(
            text.contains("CONTRADICTION: map: tokio is best in example and slower in example"),
            "{text}"
        );
        assert!(text.contains("3 intervals in 1 case"), "{text}");
    }

    #[test]
    fn a_change_beside_noisy_others_is_not_blamed_on_the_machine() {
        let noisy = [1_500, 1_900, 1_100, 2_100, 1_300];
        let wild = [900, 1_700, 1_200, 800, 1_500];
        let before = three(TOKIO, noisy, wild);
        let after = three(times(1.1, TOKIO), wild, noisy);
        let tokio = changes(&before, &after).pop().unwrap();
        assert_eq!(tokio, is("tokio", "slower, not known whether alone"));
        let sole = |values| example(&[("tokio", values)]);
        let alone = changes(&sole(TOKIO), &sole(times(0.5, TOKIO)));
        assert_eq!(alone, [is("tokio", "faster, not known whether alone")]);
    }

    #[test]
    fn ratio_and_interval_are_of_the_entry_itself() {
        // The others become faster from round to round, which moves what is judged beside them.
        let drift = [3_000, 2_500, 2_000, 1_500, 1_000];
        let before = three(TOKIO, times(1.0, drift), times(1.5, drift));
        let after = three([1_101, 1_099, 1_100, 1_102, 5_000], TOKIO, RAYON);
        let line = lines_of(&before, &after).pop().unwrap();
        assert_eq!(line.values.map(f64::round), [1_000.0, 1_101.0]);
        let (low, high) = line.ratio.interval().unwrap();
        assert!(low < 1.101 && 1.101 < high && high < 1.11, "{:?}", line.ratio);
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
        assert!(changes.iter().all(|(_, word)| *word == "unclear"), "{changes:?}");
    }

    #[test]
    fn another_best_is_a_contradiction() {
        let line = |entry: &str, verdicts: [Verdict; 2]| Line {
            entry: entry.to_owned(),
            values: [1.0, 1.0],
            ratio: Figure::without_interval(1.0),
            beside_others: None,
            change: Change::Unclear,
            verdicts: verdicts.map(Some),
        };
        use Verdict::{Best, Slower, Undecided};
        let case = &run("map", &[("tokio", Vec::new())]).plan.cases[0];
        let of = |lines: &[Line]| contradictions_in(case, lines, ["A", "B"]);
        let swapped = [line("tokio", [Best, Undecided]), line("rayon", [Undecided, Best])];
        assert_eq!(of(&swapped), ["map: tokio is best in A and rayon in B"]);
        let kept = [line("tokio", [Best, Best]), line("rayon", [Undecided, Slower])];
        assert_eq!(of(&kept), [""; 0]);
    }

    #[test]
    fn a_case_at_another_rate_is_not_compared() {
        let at = |rate: u64| {
            let fair = || How::fair("f", "l");
            let outcomes = [("tokio", walls(&[10; 4], fair())), ("smol", walls(&[20; 4], fair()))];
            let mut run = run("serve/load=90", &outcomes);
            run.plan.cases[0].params = serde_json::json!({ "drive": "open", "rate": rate });
            run
        };
        let text = compare(&at(18_100), &at(19_300)).unwrap();
        let reason = "serve/load=90: not compared, because it was driven at 18100 requests a second in one run \
            and at 19300 in the other";
        assert!(text.contains(reason) && text.contains("0 intervals in 0 cases"), "{text}");
        assert!(compare(&at(18_100), &at(18_100)).unwrap().contains("2 intervals in 1 case"));
    }

    #[test]
    fn the_header_names_what_differs_and_says_same_only_where_all_is_known() {
        let before = three(TOKIO, RAYON, SMOL);
        let mut after = before.clone();
        let text = compare(&before, &after).unwrap();
        assert!(!text.contains("same programs, harness"), "{text}");
        assert!(text.contains("not on record in both, so that it may differ: "), "{text}");
        let mut before = before;
        before.host.git_modified = Some(false);
        before.host.cpus_allowed = Some(2);
        before.plan.entries[0].program_blake3 = "one".to_owned();
        after.host.git_modified = Some(true);
        after.host.cpus_allowed = Some(1);
        after.plan.entries[0].program_blake3 = "other".to_owned();
        let text = compare(&before, &after).unwrap();
        for line in [
            "strategy tokio: other program (one → other)\n",
            "modification of the tree: none → modified\n",
            "CPUs allowed: 2 → 1\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
