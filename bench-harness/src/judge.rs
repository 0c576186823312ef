//! From observations to verdicts: pure functions, no clock, no files.
//!
//! An observation is one process reduced to one number. Entries are compared inside rounds, so that a
//! slow minute of the machine weighs on all of them alike:
//!
//! ```text
//! y[s,i]   = ln(value of entry i in round s)
//! θ[i,j]   = Hodges–Lehmann over s of y[s,i] − y[s,j]
//! MS       = Σ (y[s,i] − y[s,·] − y[·,i] + y[·,·])² / ((S−1)(k−1))     noise that all entries share
//! var[i,j] = variance over s of y[s,i] − y[s,j]                        noise of this pair
//! V[i,j]   = max(2·MS, (var[i,j] + 2·MS)/2) with (S−1)(k−1) degrees of freedom, but
//!            var[i,j] with S−1 where it is above 4·MS
//! h[i,j]   = t(1 − α / (2·C(k,2))) · sqrt(V[i,j]/S)
//! ```
//!
//! The ratio of i to j is exp(θ), its interval exp(θ ± h), and all intervals of a case hold together
//! with probability 1 − α. Sources: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963) for
//! the estimate; the interaction mean square of a two-way layout and Bonferroni's inequality for the
//! interval (Miller, Simultaneous Statistical Inference, 2nd ed., 1981).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Probability that any interval of a case misses.
pub(crate) const ALPHA: f64 = 0.05;

/// Rounds below which there is no interval: a spread cannot be told from one or two differences.
const MIN_ROUNDS: usize = 3;

/// Differences below this do not matter: ln 1.025.
pub(crate) const MARGIN: f64 = 0.024_692_612_590_371_5;

/// A ratio with its interval; none where there are too few rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) estimate: f64,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl Ratio {
    fn of_log(theta: f64, half: Option<f64>) -> Self {
        Ratio {
            estimate: theta.exp(),
            low: half.map(|half| (theta - half).exp()),
            high: half.map(|half| (theta + half).exp()),
        }
    }

    /// One over it.
    pub(crate) fn inverse(self) -> Self {
        Ratio {
            estimate: 1.0 / self.estimate,
            low: self.high.map(|high| 1.0 / high),
            high: self.low.map(|low| 1.0 / low),
        }
    }

    /// It times a constant.
    pub(crate) fn times(self, factor: f64) -> Self {
        Ratio {
            estimate: self.estimate * factor,
            low: self.low.map(|low| low * factor),
            high: self.high.map(|high| high * factor),
        }
    }
}

/// What can be said of an entry among the contestants of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Faster than every other beyond doubt.
    Best,
    /// No more than the margin slower than any other, like at least one more.
    Tied,
    /// More than the margin slower than some other.
    Slower,
    /// Neither can be said with this many rounds.
    Undecided,
    /// There is nobody to compare it with.
    Alone,
}

/// The compared entries of one case.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    /// θ and h for each pair.
    pairs: Vec<Vec<(f64, Option<f64>)>>,
    /// Typical value of each entry.
    typical: Vec<f64>,
}

impl Judgement {
    /// Compares entries by their values, one per round: `values[entry][round]`, all positive.
    pub(crate) fn of(values: &[Vec<f64>]) -> Self {
        let logs: Vec<Vec<f64>> =
            values.iter().map(|entry| entry.iter().map(|value| value.ln()).collect()).collect();
        let shared = interaction_mean_square(&logs);
        let tests = (values.len() * values.len().saturating_sub(1) / 2).max(1) as f64;
        let pairs = logs
            .iter()
            .map(|first| {
                logs.iter()
                    .map(|second| {
                        let differences: Vec<_> =
                            first.iter().zip(second).map(|(a, b)| a - b).collect();
                        let half = half_width(&differences, shared, values.len(), tests);
                        (hodges_lehmann(&differences), half)
                    })
                    .collect()
            })
            .collect();
        let typical = logs.iter().map(|entry| hodges_lehmann(entry).exp()).collect();
        Judgement { pairs, typical }
    }

    /// The typical value of an entry, in the unit of its observations.
    pub(crate) fn typical(&self, entry: usize) -> f64 {
        self.typical[entry]
    }

    /// How many times as large as the values of `other` those of `entry` are.
    pub(crate) fn ratio(&self, entry: usize, other: usize) -> Ratio {
        let (theta, half) = self.pairs[entry][other];
        Ratio::of_log(theta, if entry == other { Some(0.0) } else { half })
    }

    /// The contestant that no other is estimated to be faster than.
    pub(crate) fn leader(&self, contestants: &[usize]) -> Option<usize> {
        contestants.iter().copied().min_by(|&a, &b| {
            // By wins first: pairwise estimates need not agree with the typical values.
            let beaten_by =
                |x: usize| contestants.iter().filter(|&&y| self.pairs[x][y].0 > 0.0).count();
            beaten_by(a).cmp(&beaten_by(b)).then(self.typical[a].total_cmp(&self.typical[b]))
        })
    }

    /// A verdict for each of the contestants.
    pub(crate) fn verdicts(&self, contestants: &[usize]) -> Vec<Verdict> {
        if contestants.len() == 1 {
            return vec![Verdict::Alone];
        }
        let others = |entry: usize| contestants.iter().copied().filter(move |&j| j != entry);
        let bounds = |i: usize, j: usize| {
            let (theta, half) = self.pairs[i][j];
            let half = half.unwrap_or(f64::INFINITY);
            (theta - half, theta + half)
        };
        let slower = |i: usize| others(i).any(|j| bounds(i, j).0 > MARGIN);
        let among_best = |i: usize| others(i).all(|j| bounds(i, j).1 < MARGIN);
        let clear_of_all = |i: usize| others(i).all(|j| bounds(i, j).1 < 0.0);
        let best = contestants.iter().filter(|&&i| among_best(i)).count();
        contestants
            .iter()
            .map(|&i| match () {
                () if slower(i) => Verdict::Slower,
                () if clear_of_all(i) => Verdict::Best,
                () if among_best(i) && best > 1 => Verdict::Tied,
                () => Verdict::Undecided,
            })
            .collect()
    }
}

/// A constant divided by the typical value, with an interval over the rounds.
pub(crate) fn share_of_constant(constant: f64, values: &[f64]) -> Ratio {
    let logs: Vec<_> = values.iter().map(|value| (constant / value).ln()).collect();
    Ratio::of_log(hodges_lehmann(&logs), half_width(&logs, None, 1, 1.0))
}

fn half_width(differences: &[f64], shared: Option<f64>, k: usize, tests: f64) -> Option<f64> {
    let rounds = differences.len() as f64;
    if differences.len() < MIN_ROUNDS {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / rounds;
    let own = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (rounds - 1.0);
    let (variance, freedom) = match shared.map(|ms| 2.0 * ms) {
        Some(shared) if own <= 2.0 * shared => {
            (shared.max((own + shared) / 2.0), (rounds - 1.0) * (k as f64 - 1.0))
        }
        _ => (own, rounds - 1.0),
    };
    let t = StudentsT::new(0.0, 1.0, freedom).expect("the degrees of freedom are positive");
    Some(t.inverse_cdf(1.0 - ALPHA / (2.0 * tests)) * (variance / rounds).sqrt())
}

/// MS of the two-way layout of entries and rounds.
fn interaction_mean_square(logs: &[Vec<f64>]) -> Option<f64> {
    let (k, rounds) = (logs.len(), logs.first()?.len());
    if k < 2 || rounds < 2 {
        return None;
    }
    let of_entry: Vec<f64> = logs.iter().map(|e| e.iter().sum::<f64>() / rounds as f64).collect();
    let of_round: Vec<f64> =
        (0..rounds).map(|s| logs.iter().map(|e| e[s]).sum::<f64>() / k as f64).collect();
    let all = of_entry.iter().sum::<f64>() / k as f64;
    let sum: f64 = logs
        .iter()
        .zip(&of_entry)
        .flat_map(|(entry, mean)| {
            entry.iter().zip(&of_round).map(move |(y, round)| (y - round - mean + all).powi(2))
        })
        .sum();
    Some(sum / ((rounds - 1) * (k - 1)) as f64)
}

/// Median of all pairwise means, each value with itself included.
pub(crate) fn hodges_lehmann(values: &[f64]) -> f64 {
    let mut means: Vec<_> = values
        .iter()
        .enumerate()
        .flat_map(|(i, a)| values[i..].iter().map(move |b| f64::midpoint(*a, *b)))
        .collect();
    median(&mut means)
}

/// The median; the mean of the two middle values of an even number. NaN for none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Approximately normal with variance 1 (Irwin–Hall).
    fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Rounds of entries with these true values, noise of each observation and of each round.
    fn simulate(truth: &[f64], rounds: usize, noise: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut values = vec![Vec::new(); truth.len()];
        for _ in 0..rounds {
            let round = 0.2 * normal(&mut random);
            for (entry, truth) in values.iter_mut().zip(truth) {
                entry.push(truth * (round + noise * normal(&mut random)).exp());
            }
        }
        values
    }

    fn verdicts(values: &[Vec<f64>]) -> Vec<Verdict> {
        Judgement::of(values).verdicts(&(0..values.len()).collect::<Vec<_>>())
    }

    #[test]
    fn hodges_lehmann_is_the_median_of_the_pairwise_means() {
        // Means: 1, 1.5, 5.5, 2, 6, 10; the middle two are 2 and 5.5.
        assert_eq!(hodges_lehmann(&[1.0, 2.0, 10.0]), 3.75);
        assert_eq!(hodges_lehmann(&[7.0]), 7.0);
        assert!(hodges_lehmann(&[]).is_nan());
    }

    #[test]
    fn a_hand_computed_pair() {
        // Differences 0.1, 0.2, 0.3: mean 0.2, variance 0.01; MS = 0.005, so 2·MS is the same 0.01
        // with 2 degrees of freedom: h = t(0.975, 2) · sqrt(0.01/3) = 4.3027 · 0.057735.
        let values = [vec![0.1_f64.exp(), 0.2_f64.exp(), 0.3_f64.exp()], vec![1.0; 3]];
        let judgement = Judgement::of(&values);
        let (theta, half) = judgement.pairs[0][1];
        assert!((theta - 0.2).abs() < 1e-12);
        assert!((half.unwrap() - 0.248_41).abs() < 1e-4, "{half:?}");
    }

    #[test]
    fn a_machine_that_slows_down_for_a_round_changes_nothing() {
        let calm = [vec![1.0, 1.0, 1.0, 1.0], vec![2.0, 2.02, 1.98, 2.0]];
        let rough = [vec![1.0, 3.0, 1.0, 1.5], vec![2.0, 6.06, 1.98, 3.0]];
        let (calm, rough) = (Judgement::of(&calm), Judgement::of(&rough));
        assert!((calm.ratio(1, 0).estimate - rough.ratio(1, 0).estimate).abs() < 1e-9);
        assert_eq!(rough.verdicts(&[0, 1]), [Verdict::Best, Verdict::Slower]);
    }

    #[test]
    fn one_or_two_rounds_decide_nothing() {
        for rounds in 1..MIN_ROUNDS {
            let values = [vec![1.0; rounds], vec![9.0; rounds]];
            assert_eq!(verdicts(&values), [Verdict::Undecided, Verdict::Undecided]);
            assert_eq!(Judgement::of(&values).ratio(1, 0).low, None);
        }
    }

    #[test]
    fn who_is_alone_is_not_best() {
        assert_eq!(verdicts(&[vec![1.0, 1.0]]), [Verdict::Alone]);
    }

    #[test]
    fn equal_entries_are_hardly_ever_called_different() {
        let trials = 2_000;
        let wrong = (0..trials)
            .filter(|&seed| {
                verdicts(&simulate(&[1.0; 6], 5, 0.03, seed))
                    .iter()
                    .any(|verdict| matches!(verdict, Verdict::Slower | Verdict::Best))
            })
            .count();
        assert!((wrong as f64) < 0.05 * trials as f64, "{wrong} of {trials}");
    }

    #[test]
    fn intervals_cover_the_truth_together() {
        let truth = [1.0, 1.05, 1.1, 1.3, 2.0];
        let trials = 1_000;
        let covered = (0..trials)
            .filter(|&seed| {
                let judgement = Judgement::of(&simulate(&truth, 5, 0.03, seed));
                (0..truth.len()).all(|i| {
                    (0..i).all(|j| {
                        let ratio = judgement.ratio(i, j);
                        let truth = truth[i] / truth[j];
                        ratio.low.unwrap() <= truth && truth <= ratio.high.unwrap()
                    })
                })
            })
            .count();
        assert!(covered as f64 >= (1.0 - ALPHA) * trials as f64, "{covered} of {trials}");
    }

    #[test]
    fn a_factor_of_one_and_a_half_is_found_in_five_rounds() {
        let trials = 500;
        let found = (0..trials)
            .filter(|&seed| {
                let verdicts = verdicts(&simulate(&[1.0, 1.5, 1.5, 1.6, 3.0], 5, 0.05, seed));
                verdicts[0] == Verdict::Best
                    && verdicts[1..].iter().all(|verdict| *verdict == Verdict::Slower)
            })
            .count();
        assert!(found as f64 >= 0.95 * f64::from(trials as u32), "{found} of {trials}");
    }

    #[test]
    fn nobody_is_best_whose_interval_overlaps_anothers() {
        for seed in 0..500 {
            let values = simulate(&[1.0, 1.03, 1.06], 5, 0.03, seed);
            let judgement = Judgement::of(&values);
            for (i, verdict) in judgement.verdicts(&[0, 1, 2]).into_iter().enumerate() {
                let overlaps = (0..3).any(|j| j != i && judgement.ratio(i, j).high.unwrap() >= 1.0);
                assert!(verdict != Verdict::Best || !overlaps);
            }
        }
    }

    #[test]
    fn a_share_of_a_constant_has_an_interval() {
        let share = share_of_constant(50.0, &[52.0, 51.0, 53.0]);
        assert!((share.estimate - 50.0 / 52.0).abs() < 0.01);
        assert!(share.low.unwrap() < share.estimate && share.estimate < share.high.unwrap());
    }
}
