//! Extra work of known size: it has to be found, and ratios have to come out as they are.

use serde_json::json;
use workloads::Profile;

use crate::selftest::bench::Bench;
use crate::selftest::check::{Check, is_share, judge, percent};
use judge::{Judgement, Verdict};
use record::{Purpose, design};

/// Tasks of the reference; each takes 10 µs, so that one cell is as long as in `quick`.
const TASKS: u64 = 1_000;
/// Extra work in tenths of a percent: none, 1, 2.5, 5, 10 and 100 %.
const EXTRA: [u64; 6] = [0, 10, 25, 50, 100, 1_000];

pub(super) fn checks(bench: &mut Bench, trials: usize) -> anyhow::Result<Vec<Check>> {
    let design = design(Profile::Standard, Purpose::Comparison);
    let reference = bench.cell("rayon", "grain", Ok("grain/10us"))?;
    let steps = reference.params()["steps"].clone();
    let amounts = std::iter::once(0).chain(EXTRA);
    let cells = amounts.map(|extra| {
        let tasks = TASKS * (1_000 + extra) / 1_000;
        let params =
            json!({"grain_ns": 10_000, "total_us": 10_000, "tasks": tasks, "steps": steps});
        bench.cell("rayon", "grain", Err(params))
    });
    let cells = cells.collect::<anyhow::Result<Vec<_>>>()?;
    let mut all = Vec::new();
    let mut judgements: Vec<Vec<Judgement>> = vec![Vec::new(); EXTRA.len()];
    for _ in 0..trials {
        let mut rounds = Vec::new();
        for _ in 0..design.most_rounds() {
            // The metric is the time of a task, and the time of all is wanted.
            let values = bench.round(&cells)?.values;
            rounds.push(values.iter().zip(&cells).map(|(v, c)| v * c.operations()).collect());
        }
        for (index, judgements) in judgements.iter_mut().enumerate() {
            let pair: Vec<_> =
                rounds.iter().map(|values: &Vec<f64>| vec![values[0], values[index + 1]]).collect();
            judgements.push(judge(&pair, &design));
        }
        all.extend(rounds);
    }
    let mut checks = Vec::new();
    let (mut covered, mut intervals) = (0, 0);
    for (&extra, judgements) in EXTRA.iter().zip(&judgements) {
        let truth = 1.0 + extra as f64 / 1_000.0;
        covered += judgements.iter().filter(|judgement| covers(judgement, truth)).count();
        intervals += judgements.len();
        let with =
            |verdict: Verdict| judgements.iter().filter(|j| j.verdict(1) == Some(verdict)).count();
        let (slower, all) = (with(Verdict::Slower), judgements.len());
        let test = format!("injected {} % of extra work: called slower", extra as f64 / 10.0);
        checks.extend(match extra {
            0 | 10 => Some(Check::new(test, "never", percent(slower, all), slower == 0)),
            25 => Some(Check::new(
                test,
                "at most 5 %: it is the margin",
                percent(slower, all),
                20 * slower <= all,
            )),
            50 | 100 => {
                let found = is_share(slower, all, 0.95);
                Some(Check::new(test, "95 %", percent(slower, all), found).on_a_quiet_host())
            }
            _ => None,
        });
    }
    checks.push(Check::new(
        "intervals around the true ratio",
        "95 %",
        percent(covered, intervals),
        is_share(covered, intervals, 0.95),
    ));
    let whole = judge(&all, &judge::Design::once(all.len()));
    for (entry, truth) in [(5, 1.1), (6, 2.0)] {
        let ratio = whole.ratio(entry, 0).expect("all rounds are common").estimate;
        let bias = 100.0 * (ratio / truth - 1.0);
        let check = Check::new(
            format!("known ratio {truth:.2}: bias"),
            "below 1 %",
            format!("{ratio:.4}, {bias:+.2} %"),
            bias.abs() < 1.0,
        );
        checks.push(check.on_a_quiet_host());
    }
    Ok(checks)
}

fn covers(judgement: &Judgement, truth: f64) -> bool {
    let ratio = judgement.ratio(1, 0).expect("both were measured");
    ratio.low.zip(ratio.high).is_some_and(|(low, high)| low <= truth && truth <= high)
}
