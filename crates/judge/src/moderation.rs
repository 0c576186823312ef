//! What the variances of all pairs say of a single one: Smyth, Statistical Applications in Genetics and
//! Molecular Biology 3 (2004), section 6.2.

use statrs::function::gamma::digamma;

/// Degrees of freedom d₀ and variance s₀² that all pairs have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prior {
    /// Infinite where all variances are alike; 0 where nothing is known.
    freedom: f64,
    variance: f64,
}

impl Prior {
    pub(crate) fn fit(variances: &[f64], freedom: f64) -> Self {
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
    pub(crate) fn moderate(self, own: f64, freedom: f64, most: f64) -> (f64, f64) {
        if self.freedom.is_infinite() {
            return (self.variance, most);
        }
        let total = self.freedom + freedom;
        ((self.freedom * self.variance + freedom * own) / total, total.min(most))
    }
}

pub(crate) fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
