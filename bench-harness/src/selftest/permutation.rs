//! Order and labels: verdicts must not depend on who comes first or what it is called.

use workloads::Profile;

use crate::selftest::bench::{Bench, Cell, STRATEGIES};
use crate::selftest::check::{Check, judge, percent};
use judge::{Verdict, on_a_noisy_host};
use record::{Purpose, design};

/// A case in which some tie and some are clearly slower.
pub(super) fn contest(bench: &Bench) -> anyhow::Result<Vec<Cell>> {
    STRATEGIES.iter().map(|name| bench.cell(name, "join", Ok("join/cutoff=5"))).collect()
}

/// The verdicts after so many rounds.
pub(super) fn verdicts(rounds: &[Vec<f64>]) -> Vec<Verdict> {
    let judgement = judge(rounds, &design(Profile::Quick, Purpose::Comparison));
    (0..rounds[0].len()).map(|i| judgement.verdict(i).expect("all are contestants")).collect()
}

/// The same as they are reported for a host that stays noisy.
pub(super) fn verdicts_in_noise(rounds: &[Vec<f64>]) -> Vec<Verdict> {
    let judgement = judge(rounds, &design(Profile::Quick, Purpose::Comparison));
    (0..rounds[0].len())
        .map(|i| {
            let verdict = judgement.verdict(i).expect("all are contestants");
            on_a_noisy_host(
                verdict,
                judgement.proven_by(i).and_then(|rival| judgement.ratio(i, rival)),
            )
        })
        .collect()
}

/// Whether one says that an entry is among the best and the other that it is slower.
pub(super) fn contradict(one: &[Verdict], other: &[Verdict]) -> bool {
    let good = |verdict: &Verdict| matches!(verdict, Verdict::Best | Verdict::Tied);
    one.iter()
        .zip(other)
        .any(|(a, b)| (good(a) && *b == Verdict::Slower) || (good(b) && *a == Verdict::Slower))
}

pub(super) fn checks(bench: &mut Bench, repetitions: usize) -> anyhow::Result<[Check; 2]> {
    let cells = contest(bench)?;
    let forwards: Vec<_> = (0..cells.len()).collect();
    let backwards: Vec<_> = forwards.iter().rev().copied().collect();
    let (mut contradictions, mut pairs, mut moved, mut runs) = (0, 0, 0, 0);
    for _ in 0..repetitions {
        let mut by_order = Vec::new();
        for order in [&forwards, &backwards] {
            let mut rounds = Vec::new();
            for _ in 0..design(Profile::Quick, Purpose::Comparison).most_rounds() {
                rounds.push(bench.round_in(&cells, order)?.values);
            }
            let plain = verdicts(&rounds);
            // Other labels: the same values under the names in reverse.
            let mut relabelled: Vec<_> = rounds.clone();
            relabelled.iter_mut().for_each(|values| values.reverse());
            let mut back = verdicts(&relabelled);
            back.reverse();
            moved += usize::from(back != plain);
            runs += 1;
            by_order.push(plain);
        }
        contradictions += usize::from(contradict(&by_order[0], &by_order[1]));
        pairs += 1;
    }
    Ok([
        Check::new(
            "order reversed: pairs of runs that contradict each other",
            "none",
            percent(contradictions, pairs),
            contradictions == 0,
        ),
        Check::new(
            "labels permuted: verdicts that change",
            "none",
            percent(moved, runs),
            moved == 0,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_best_against_slower_is_a_contradiction() {
        use Verdict::{Best, Slower, Tied, Undecided};
        assert!(contradict(&[Best, Slower], &[Slower, Best]));
        assert!(contradict(&[Tied, Tied], &[Best, Slower]));
        assert!(!contradict(&[Undecided, Slower], &[Best, Slower]));
        assert!(!contradict(&[Undecided, Undecided], &[Best, Slower]));
    }
}
