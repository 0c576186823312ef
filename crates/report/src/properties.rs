//! What holds of every report, whatever was measured: tried on random journals and on every run in `results/`.

use std::path::Path;

use protocol::{Failure, FailureKind, How};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::rounding::rounded;
use analysis::case::{CaseReport, Numbers};
use analysis::fixtures::{process, run};
use analysis::{Report, Run};
use judge::{Design, Figure, Verdict, median};
use record::journal::Outcome;

/// What a report says that its observations do not.
fn violations(report: &Report) -> Vec<String> {
    let mut violations = Vec::new();
    for (case, row) in report.rows() {
        let Some(numbers) = &row.numbers else { continue };
        for broken in of_value(numbers).into_iter().chain(of_ratio(report, case, numbers)) {
            violations.push(format!("{} {}: {broken}", case.id, row.entry));
        }
    }
    violations
}

fn of_value(numbers: &Numbers) -> Option<String> {
    let Figure { estimate, low, high } = numbers.value;
    let observations = &numbers.observations;
    let least = observations.iter().copied().fold(f64::INFINITY, f64::min);
    let most = observations.iter().copied().fold(0.0, f64::max);
    let middle = median(&mut observations.clone());
    let holds =
        |value: f64| low.is_none_or(|low| low <= value) && high.is_none_or(|high| value <= high);
    match () {
        () if !(least..=most).contains(&estimate) => {
            Some(format!("{estimate} is outside its observations, {least} to {most}"))
        }
        () if !holds(middle) => Some(format!("{low:?} to {high:?} is beside the median, {middle}")),
        () => None,
    }
}

/// Values and ratios agree within their intervals, and what is slower is so by more than the margin.
fn of_ratio(report: &Report, case: &CaseReport, numbers: &Numbers) -> Option<String> {
    let margin = report.design.margin;
    for (verdict, ratio) in
        [(numbers.verdict, numbers.ratio), (numbers.cpu_verdict, numbers.cpu_ratio)]
    {
        if verdict == Some(Verdict::Slower) && ratio?.low.is_none_or(|low| low < margin) {
            return Some(format!("slower, at {ratio:?}"));
        }
    }
    let to = case.rows.iter().find(|row| Some(&row.entry) == numbers.ratio_to.as_ref())?;
    let quotient = numbers.value.over(to.numbers.as_ref()?.value).interval()?;
    let ratio = numbers.ratio?.interval()?;
    let apart = quotient.1 < ratio.0 || ratio.1 < quotient.0;
    apart.then(|| format!("the values' quotient {quotient:?} disagrees with the ratio {ratio:?}"))
}

/// A normal deviate, as the sum of twelve uniform ones.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

/// A run of a case with up to seven entries, among them misuses and floors, whose processes scatter differently, fall
/// into groups, fail, and share the noise of their rounds.
fn random_run(seed: u64) -> Run {
    let random = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let case = ["map", "echo/c=1", "serve/load=30", "spawn/n=1"][random.random_range(0..4)];
    let rounds = random.random_range(1..=12);
    let drift: Vec<_> = (0..rounds).map(|_| 0.1 * normal(random)).collect();
    let names =
        ["threads", "rayon", "tokio", "async-std", "smol", "tokio/misuse", "floor/sequential"];
    let mut outcomes = Vec::new();
    for name in names {
        if random.random_bool(0.2) {
            continue;
        }
        let how = match name {
            "tokio/misuse" => How::misuse("f", "l"),
            "floor/sequential" => How::floor("f", "l"),
            _ => How::fair("f", "l"),
        };
        let level = 1e6 * (2.0 * random.random::<f64>()).exp();
        let scatter = 0.5 * random.random::<f64>().powi(3);
        let groups = random.random_bool(0.2);
        let process_of = |round: usize, random: &mut Xoshiro256PlusPlus| {
            if random.random_bool(0.02) {
                return Outcome::Failed(Failure::new(FailureKind::Void, "late"));
            }
            let slow = if groups && random.random_bool(0.4) { 2.0 } else { 0.0 };
            let wild = if random.random_bool(0.03) { 1.5 } else { 0.0 };
            let log = drift[round] + scatter * normal(random) + slow + wild;
            let ns = level * log.exp();
            let mut measured = process(ns as u64, how.clone());
            // Shares of a process's operations that are slow differ too.
            measured.latency_ns =
                vec![(ns as u64, 980), (3 * ns as u64, 10 + random.random_range(0..20))];
            Outcome::Measured(measured)
        };
        outcomes.push((name, (0..rounds).map(|round| process_of(round, random)).collect()));
    }
    let mut run = run(case, &outcomes);
    if random.random_bool(0.5) {
        run.plan.design = Design::new(1, &[3, 5, 8]);
    }
    run
}

#[test]
fn values_lie_among_their_own_observations_in_random_runs() {
    for seed in 0..400 {
        let exact = Report::of(&random_run(seed));
        assert_eq!(violations(&exact), [""; 0], "seed {seed}");
        assert_eq!(violations(&rounded(&exact)), [""; 0], "seed {seed}, rounded");
    }
}

#[test]
fn values_lie_among_their_own_observations_in_every_committed_run() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let folders = std::fs::read_dir(results).unwrap().map(|folder| folder.unwrap().path());
    let mut runs = 0;
    for folder in folders.filter(|folder| folder.join("plan.json").exists()) {
        let report = Report::of(&Run::read(&folder).unwrap());
        assert_eq!(violations(&report), [""; 0], "{}", folder.display());
        assert_eq!(violations(&rounded(&report)), [""; 0], "{}, rounded", folder.display());
        runs += 1;
    }
    assert!(runs >= 5, "the committed runs are gone");
}

/// The quotient of values and the ratio inside the rounds need not agree to the digit, but a value that takes in the
/// noise of what all entries have in common is found at once.
#[test]
fn a_planted_value_from_the_rounds_centre_is_found() {
    let five = |from: u64| {
        let processes = (from..from + 5).map(|ns| process(ns, How::fair("f", "l")));
        processes.map(Outcome::Measured).collect()
    };
    let mut report = Report::of(&run("map", &[("tokio", five(1_000)), ("rayon", five(1_500))]));
    assert_eq!(violations(&report), [""; 0]);
    // As if a noisy third entry had moved the centre of the rounds by a quarter.
    let value = &mut report.cases[0].rows[0].numbers.as_mut().unwrap().value;
    *value = value.times(1.25);
    let found = violations(&report);
    assert!(found[0].starts_with("map tokio: 1252.5 is outside its observations"), "{found:?}");
}
