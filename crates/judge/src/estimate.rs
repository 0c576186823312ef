//! Estimates for entries that were measured in the same rounds.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::moderation::{Prior, variance};

/// Superblocks below which there is no interval: a spread cannot be told from one or two differences.
pub(crate) const MIN_BLOCKS: usize = 3;

/// Effects of entries and the uncertainty of each pair's difference, as logarithms.
#[derive(Debug, Clone)]
pub(crate) struct Estimate {
    effects: Vec<f64>,
    pairs: Vec<Vec<Option<Spread>>>,
}

/// How well a difference is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Half of the interval's width.
    pub half: f64,
    /// What `half` would be after a single superblock.
    pub half_of_one: f64,
}

impl Estimate {
    /// From logarithms `logs[entry][round]`, where `block` rounds make a superblock. Each of `tests`
    /// intervals misses with probability `alpha / tests`.
    pub(crate) fn of(logs: &[Vec<f64>], block: usize, alpha: f64, tests: usize) -> Self {
        let k = logs.len();
        let rounds = logs.first().map_or(0, Vec::len);
        let centres: Vec<f64> = (0..rounds)
            .map(|round| median(&mut logs.iter().map(|entry| entry[round]).collect::<Vec<_>>()))
            .collect();
        // By superblock and entry.
        let blocks: Vec<Vec<f64>> = (0..rounds / block)
            .map(|s| {
                let of_entry = |entry: &Vec<f64>| {
                    let rounds = s * block..(s + 1) * block;
                    let centred: Vec<_> =
                        rounds.map(|round| entry[round] - centres[round]).collect();
                    hodges_lehmann(&centred)
                };
                logs.iter().map(of_entry).collect()
            })
            .collect();
        let effects: Vec<_> = (0..k)
            .map(|i| hodges_lehmann(&blocks.iter().map(|block| block[i]).collect::<Vec<_>>()))
            .collect();
        let mut pairs = vec![vec![None; k]; k];
        if blocks.len() >= MIN_BLOCKS && k > 1 {
            let indices: Vec<_> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
            let own: Vec<_> = indices
                .iter()
                .map(|&(i, j)| {
                    variance(&blocks.iter().map(|block| block[i] - block[j]).collect::<Vec<_>>())
                })
                .collect();
            let freedom = (blocks.len() - 1) as f64;
            let prior = Prior::fit(&own, freedom);
            // The degrees of freedom are the same for all pairs.
            let (_, moderated) = prior.moderate(1.0, freedom, freedom * (k - 1) as f64);
            let quantile = quantile(moderated, alpha / tests as f64);
            for (&(i, j), own) in indices.iter().zip(own) {
                let (variance, _) = prior.moderate(own, freedom, moderated);
                let spread = Spread::of(variance, quantile, blocks.len());
                (pairs[i][j], pairs[j][i]) = (Some(spread), Some(spread));
            }
            (0..k).for_each(|i| pairs[i][i] = Some(Spread { half: 0.0, half_of_one: 0.0 }));
        }
        Estimate { effects, pairs }
    }

    /// θ: by how much an entry's logarithm is above another's.
    pub(crate) fn theta(&self, entry: usize, other: usize) -> f64 {
        self.effects[entry] - self.effects[other]
    }

    pub(crate) fn spread(&self, entry: usize, other: usize) -> Option<Spread> {
        self.pairs[entry][other]
    }
}

impl Spread {
    fn of(variance: f64, quantile: f64, blocks: usize) -> Self {
        let half_of_one = quantile * variance.sqrt();
        Spread { half: half_of_one / (blocks as f64).sqrt(), half_of_one }
    }

    /// Of values by themselves; `None` where there are too few.
    pub(crate) fn of_values(values: &[f64], alpha: f64) -> Option<Self> {
        let n = values.len();
        (n >= MIN_BLOCKS).then(|| Spread::of(variance(values), quantile((n - 1) as f64, alpha), n))
    }
}

/// Student's t that is exceeded on either side with probability `alpha`.
pub(crate) fn quantile(freedom: f64, alpha: f64) -> f64 {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("the degrees of freedom are positive");
    t.inverse_cdf(1.0 - alpha / 2.0)
}

/// Median of all pairwise means, each value with itself included.
fn hodges_lehmann(values: &[f64]) -> f64 {
    let mut means: Vec<_> = values
        .iter()
        .enumerate()
        .flat_map(|(i, a)| values[i..].iter().map(move |b| f64::midpoint(*a, *b)))
        .collect();
    median(&mut means)
}

/// The median; the mean of the two middle values of an even number. NaN for none.
pub fn median(values: &mut [f64]) -> f64 {
    // A closure of its own: sorting by the function itself may be taken from a crate that was built without
    // optimisation.
    values.sort_unstable_by(|a, b| a.total_cmp(b));
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let estimate = Estimate::of(&[vec![0.1, 0.2, 0.3], vec![0.0; 3]], 1, 0.05, 1);
        assert!((estimate.theta(0, 1) - 0.2).abs() < 1e-12);
        let half = estimate.spread(0, 1).unwrap().half;
        assert!((half - 0.248_41).abs() < 1e-4, "{half}");
    }

    #[test]
    fn rounds_of_a_superblock_make_one_observation() {
        // Superblocks of two rounds: differences 0.1, 0.2, 0.3 as above, however the rounds scatter inside.
        let logs = [vec![0.0, 0.2, 0.1, 0.3, 0.2, 0.4], vec![0.0; 6]];
        let estimate = Estimate::of(&logs, 2, 0.05, 1);
        assert!((estimate.theta(0, 1) - 0.2).abs() < 1e-12);
        assert!((estimate.spread(0, 1).unwrap().half - 0.248_41).abs() < 1e-4);
    }
}
