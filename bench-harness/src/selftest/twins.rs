//! The same entry twice: it has to tie with itself.

use workloads::Profile;

use crate::selftest::bench::Bench;
use crate::selftest::check::{Check, is_share, judge, percent};
use judge::Verdict;
use record::{Purpose, design};

/// Cells of all kinds, one strategy each; short ones, so that there is time for many.
const CELLS: [(&str, &str, &str); 12] = [
    ("tokio", "gather", "gather/n=1000"),
    ("threads", "read-files", "read-files"),
    ("rayon", "join", "join/cutoff=1"),
    ("threads", "join", "join/cutoff=5"),
    ("rayon", "sort", "sort"),
    ("tokio", "skewed", "skewed"),
    ("smol", "matmul", "matmul"),
    ("threads", "reduce", "reduce"),
    ("rayon", "grain", "grain/10us"),
    ("smol", "ring", "ring"),
    ("rayon", "spawn", "spawn/n=1000"),
    ("tokio", "echo", "echo/c=64"),
];

/// With the looks of a profile. What is certified as tied is asked of `thorough` only: with the rounds of
/// `standard`, a tie that is certain to 2.5 % can be had for quiet cells only.
pub(super) fn checks(
    bench: &mut Bench,
    profile: Profile,
    repetitions: usize,
) -> anyhow::Result<Vec<Check>> {
    if repetitions == 0 {
        return Ok(Vec::new());
    }
    let design = design(profile, Purpose::Comparison);
    let (mut tied, mut slower, mut runs) = (0, Vec::new(), 0);
    let mut undecided = std::collections::BTreeMap::new();
    for (strategy, workload, id) in CELLS {
        let cell = bench.cell(strategy, workload, Ok(id))?;
        let cells = [cell.clone(), cell];
        for _ in 0..repetitions {
            let mut rounds = Vec::new();
            let verdict = loop {
                rounds.push(bench.round(&cells)?.values);
                let judgement = judge(&rounds, &design);
                let due = rounds.len().is_multiple_of(design.block)
                    && design.looks.contains(&(rounds.len() / design.block));
                if due && (judgement.settled() || rounds.len() == design.most_rounds()) {
                    let verdicts = [0, 1].map(|entry| judgement.verdict(entry));
                    break verdicts;
                }
            };
            runs += 1;
            // Best by less than the margin is a tie: nobody is called slower.
            if verdict.contains(&Some(Verdict::Slower)) {
                slower.push(id);
            } else if verdict.contains(&Some(Verdict::Undecided)) {
                *undecided.entry(id).or_insert(0) += 1;
            } else {
                tied += 1;
            }
        }
    }
    let not: Vec<_> = undecided.iter().map(|(id, count)| format!("{id} {count}×")).collect();
    let not =
        if not.is_empty() { String::new() } else { format!("; undecided: {}", not.join(", ")) };
    let looks = format!("within the looks of {profile}");
    let mut checks = vec![Check::new(
        format!("A/A: {runs} workload-runs of real cells, called slower {looks}"),
        "none",
        format!("{}{}", slower.len(), list(&slower)),
        slower.is_empty(),
    )];
    let (certified, measured) =
        (format!("A/A: certified as tied {looks}"), format!("{}{not}", percent(tied, runs)));
    checks.push(match profile {
        Profile::Thorough => {
            Check::new(certified, "95 %", measured, is_share(tied, runs, 0.95)).on_a_quiet_host()
        }
        _ => Check::for_information(certified, measured),
    });
    Ok(checks)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}
