//! From observations to verdicts: pure functions, no clock, no files.
//!
//! An observation is one process reduced to one number. Entries are compared inside rounds, so that a
//! slow minute of the machine weighs on all of them alike:
//!
//! ```text
//! y[r,i]   = ln(value of entry i in round r)
//! a[i]     = Hodges–Lehmann over r of y[r,i] − median over m of y[r,m]
//! θ[i,j]   = a[i] − a[j]
//! v[i,j]   = variance over r of y[r,i] − y[r,j], with d = R − 1 degrees of freedom
//! s²[i,j]  = (d₀·s₀² + d·v[i,j]) / (d₀ + d): each pair's own noise, moderated by that of all pairs
//! h[i,j]   = t(1 − α / (2·C(k,2)); d₀ + d) · sqrt(s²[i,j] / R)
//! ```
//!
//! d₀ and s₀² are fitted to the v of all pairs: where all are equally noisy they are pooled, where a few
//! are far noisier than the rest each pair stands for itself. The ratio of i to j is exp(θ), its
//! interval exp(θ ± h), and all intervals of a case hold together with probability 1 − α.
//!
//! Sources: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963), for the estimate; Smyth,
//! Statistical Applications in Genetics and Molecular Biology 3 (2004), for the moderated variance;
//! Bonferroni's inequality for holding together (Miller, Simultaneous Statistical Inference, 1981).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::digamma;

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
    /// Typical value of each entry.
    typical: Vec<f64>,
    /// h of each pair.
    half: Vec<Vec<Option<f64>>>,
}

impl Judgement {
    /// Compares entries by their values, one per round: `values[entry][round]`, all positive.
    pub(crate) fn of(values: &[Vec<f64>]) -> Self {
        let k = values.len();
        let logs: Vec<Vec<f64>> =
            values.iter().map(|entry| entry.iter().map(|value| value.ln()).collect()).collect();
        let rounds = logs.first().map_or(0, Vec::len);
        let mut centres: Vec<f64> = (0..rounds)
            .map(|round| median(&mut logs.iter().map(|entry| entry[round]).collect::<Vec<_>>()))
            .collect();
        let effect = |entry: &Vec<f64>| {
            let centred: Vec<_> =
                entry.iter().zip(&centres).map(|(y, centre)| y - centre).collect();
            hodges_lehmann(&centred)
        };
        let effects: Vec<_> = logs.iter().map(effect).collect();
        let level = median(&mut centres);

        let mut half = vec![vec![None; k]; k];
        if rounds >= MIN_ROUNDS {
            let differences = |i: usize, j: usize| -> Vec<f64> {
                logs[i].iter().zip(&logs[j]).map(|(a, b)| a - b).collect()
            };
            let pairs: Vec<_> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
            let own: Vec<_> = pairs.iter().map(|&(i, j)| variance(&differences(i, j))).collect();
            let freedom = (rounds - 1) as f64;
            let prior = Prior::fit(&own, freedom);
            for (&(i, j), own) in pairs.iter().zip(own) {
                let (variance, freedom) = prior.moderate(own, freedom, freedom * (k - 1) as f64);
                let h = half_width(variance, freedom, rounds, pairs.len());
                (half[i][j], half[j][i]) = (Some(h), Some(h));
            }
            (0..k).for_each(|i| half[i][i] = Some(0.0));
        }
        Judgement { typical: effects.iter().map(|effect| (level + effect).exp()).collect(), half }
    }

    /// The typical value of an entry, in the unit of its observations.
    pub(crate) fn typical(&self, entry: usize) -> f64 {
        self.typical[entry]
    }

    /// How many times as large as the values of `other` those of `entry` are.
    pub(crate) fn ratio(&self, entry: usize, other: usize) -> Ratio {
        Ratio::of_log(self.theta(entry, other), self.half[entry][other])
    }

    fn theta(&self, entry: usize, other: usize) -> f64 {
        (self.typical[entry] / self.typical[other]).ln()
    }

    /// The entry with the smallest typical value among these.
    pub(crate) fn leader(&self, entries: &[usize]) -> Option<usize> {
        entries.iter().copied().min_by(|&a, &b| self.typical[a].total_cmp(&self.typical[b]))
    }

    /// A verdict for each of the contestants.
    pub(crate) fn verdicts(&self, contestants: &[usize]) -> Vec<Verdict> {
        if contestants.len() == 1 {
            return vec![Verdict::Alone];
        }
        let others = |entry: usize| contestants.iter().copied().filter(move |&j| j != entry);
        let bounds = |i: usize, j: usize| {
            let (theta, half) = (self.theta(i, j), self.half[i][j].unwrap_or(f64::INFINITY));
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
    let rounds = logs.len();
    let half =
        (rounds >= MIN_ROUNDS).then(|| half_width(variance(&logs), (rounds - 1) as f64, rounds, 1));
    Ratio::of_log(hodges_lehmann(&logs), half)
}

fn half_width(variance: f64, freedom: f64, rounds: usize, tests: usize) -> f64 {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("the degrees of freedom are positive");
    t.inverse_cdf(1.0 - ALPHA / (2.0 * tests as f64)) * (variance / rounds as f64).sqrt()
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// What the variances of all pairs say of a single one: d₀ and s₀² of Smyth (2004), section 6.2.
#[derive(Debug, Clone, Copy)]
struct Prior {
    /// Infinite where all variances are alike; 0 where nothing is known.
    freedom: f64,
    variance: f64,
}

impl Prior {
    fn fit(variances: &[f64], freedom: f64) -> Self {
        if variances.len() < 3 {
            return Prior { freedom: 0.0, variance: 0.0 };
        }
        // A variance of 0 has no logarithm; a clock in nanoseconds cannot tell it from this.
        let logs: Vec<_> = variances
            .iter()
            .map(|v| v.max(1e-14).ln() - digamma(freedom / 2.0) + (freedom / 2.0).ln())
            .collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let excess = variance(&logs) - trigamma(freedom / 2.0);
        if excess <= 0.0 {
            return Prior { freedom: f64::INFINITY, variance: mean.exp() };
        }
        let half = inverse_trigamma(excess);
        Prior { freedom: 2.0 * half, variance: (mean + digamma(half) - half.ln()).exp() }
    }

    /// The moderated variance and its degrees of freedom, no more than `most`.
    fn moderate(self, own: f64, freedom: f64, most: f64) -> (f64, f64) {
        if self.freedom.is_infinite() {
            return (self.variance, most);
        }
        let total = self.freedom + freedom;
        ((self.freedom * self.variance + freedom * own) / total, total.min(most))
    }
}

/// The second derivative of ln Γ, by its recurrence and asymptotic series (Abramowitz and Stegun
/// 6.4.6 and 6.4.12).
fn trigamma(x: f64) -> f64 {
    if x < 10.0 {
        return trigamma(x + 1.0) + 1.0 / (x * x);
    }
    let square = 1.0 / (x * x);
    1.0 / x + square / 2.0 + square / x * (1.0 / 6.0 - square * (1.0 / 30.0 - square / 42.0))
}

/// By bisection: the function falls from infinity to 0.
fn inverse_trigamma(y: f64) -> f64 {
    let (mut low, mut high) = (1e-3_f64, 1e6_f64);
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        if trigamma(middle) > y { low = middle } else { high = middle }
    }
    low
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

    /// Rounds of entries with these true values and noises, and noise that each round has in common.
    fn simulate(truth: &[f64], noise: &[f64], rounds: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut values = vec![Vec::new(); truth.len()];
        for _ in 0..rounds {
            let round = 0.2 * normal(&mut random);
            for ((entry, truth), noise) in values.iter_mut().zip(truth).zip(noise) {
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
        // Differences 0.1, 0.2, 0.3: variance 0.01 with 2 degrees of freedom, and one pair has nothing
        // to be moderated by: h = t(0.975, 2) · sqrt(0.01/3) = 4.3027 · 0.057735.
        let values = [vec![0.1_f64.exp(), 0.2_f64.exp(), 0.3_f64.exp()], vec![1.0; 3]];
        let judgement = Judgement::of(&values);
        assert!((judgement.theta(0, 1) - 0.2).abs() < 1e-12);
        let half = judgement.half[0][1].unwrap();
        assert!((half - 0.248_41).abs() < 1e-4, "{half}");
    }

    #[test]
    fn trigamma_has_its_known_values_and_its_inverse() {
        let pi = std::f64::consts::PI;
        assert!((trigamma(1.0) - pi * pi / 6.0).abs() < 1e-10);
        assert!((trigamma(0.5) - pi * pi / 2.0).abs() < 1e-10);
        assert!((inverse_trigamma(trigamma(3.7)) - 3.7).abs() < 1e-9);
    }

    #[test]
    fn equal_noise_is_pooled_and_unequal_noise_is_not() {
        let alike = Prior::fit(&[1.0, 1.1, 0.9, 1.0, 1.05], 4.0);
        assert!(alike.freedom.is_infinite() && (0.5..2.0).contains(&alike.variance));
        let unlike = Prior::fit(&[1e-6, 1e-6, 1.0, 1.0, 1.0], 4.0);
        assert!(unlike.freedom < 1.0, "{unlike:?}");
    }

    #[test]
    fn noisy_entries_do_not_blur_the_quiet_ones() {
        let noise = [0.003, 0.003, 0.003, 0.1, 0.1];
        let values = simulate(&[1.0, 1.03, 1.0, 2.0, 4.0], &noise, 5, 1);
        let ratio = Judgement::of(&values).ratio(1, 0);
        assert!(ratio.low.unwrap() > 1.0, "{ratio:?}");
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
                verdicts(&simulate(&[1.0; 6], &[0.03; 6], 5, seed))
                    .iter()
                    .any(|verdict| matches!(verdict, Verdict::Slower | Verdict::Best))
            })
            .count();
        assert!((wrong as f64) < 0.05 * trials as f64, "{wrong} of {trials}");
    }

    /// How many of 1,000 cases have all their intervals around the truth, by the noise of each entry.
    fn covered(noise: [f64; 5]) -> usize {
        let truth = [1.0, 1.05, 1.1, 1.3, 2.0];
        (0..1_000)
            .filter(|&seed| {
                let judgement = Judgement::of(&simulate(&truth, &noise, 5, seed));
                (0..truth.len()).all(|i| {
                    (0..i).all(|j| {
                        let ratio = judgement.ratio(i, j);
                        let truth = truth[i] / truth[j];
                        ratio.low.unwrap() <= truth && truth <= ratio.high.unwrap()
                    })
                })
            })
            .count()
    }

    #[test]
    fn intervals_cover_the_truth_together_whether_the_noise_is_equal_or_not() {
        let (equal, unequal) = (covered([0.03; 5]), covered([0.003, 0.003, 0.02, 0.1, 0.1]));
        assert!(equal >= 950, "{equal} of 1000 with equal noise");
        assert!(unequal >= 950, "{unequal} of 1000 with unequal noise");
    }

    #[test]
    fn a_factor_of_one_and_a_half_is_found_in_five_rounds() {
        let trials = 500;
        let found = (0..trials)
            .filter(|&seed| {
                let verdicts = verdicts(&simulate(&[1.0, 1.5, 1.5, 1.6, 3.0], &[0.05; 5], 5, seed));
                verdicts[0] == Verdict::Best
                    && verdicts[1..].iter().all(|verdict| *verdict == Verdict::Slower)
            })
            .count();
        assert!(found as f64 >= 0.95 * f64::from(trials as u32), "{found} of {trials}");
    }

    #[test]
    fn nobody_is_best_whose_interval_overlaps_anothers() {
        for seed in 0..500 {
            let values = simulate(&[1.0, 1.03, 1.06], &[0.03; 3], 5, seed);
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
