//! Where a value lies on an axis, and which values are named on it.

use protocol::units::Scale;

/// Names on an axis, at most.
const TICKS: usize = 6;
/// Values that are further apart than this are drawn on a logarithmic axis.
const FAR: f64 = 8.0;

/// A range of values, linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Whether round values are those of KiB and MiB.
    binary: bool,
}

impl Axis {
    /// That holds all these values with a margin; `None` where there is none. Positive values that are far
    /// apart get a logarithmic axis.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        if low > 0.0 && high / low > FAR {
            let margin = (high / low).powf(0.03);
            return Some(Axis {
                low: low / margin,
                high: high * margin,
                logarithmic: true,
                binary: false,
            });
        }
        let margin = 0.04 * (high - low).max(0.02 * high.abs()).max(1e-9);
        let low = if low >= 0.0 { (low - margin).max(0.0) } else { low - margin };
        Some(Axis { low, high: high + margin, logarithmic: false, binary: false })
    }

    /// That holds all these positive values, and is logarithmic however near they are.
    pub(super) fn logarithmic(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let positive = values.into_iter().filter(|value| *value > 0.0);
        let axis = Axis::around(positive)?;
        let low = axis.low.max(axis.high / 1e12);
        Some(Axis { low, logarithmic: true, ..axis })
    }

    /// From nothing to everything.
    pub(super) fn of_shares() -> Self {
        Axis { low: 0.0, high: 1.05, logarithmic: false, binary: false }
    }

    /// Whose round values are those of this scale.
    pub(super) fn of(self, scale: Scale) -> Self {
        Axis { binary: scale == Scale::Bytes, ..self }
    }

    /// 0 at the low end and 1 at the high end.
    pub(super) fn at(self, value: f64) -> f64 {
        let part = match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        part.clamp(0.0, 1.0)
    }

    /// Round values to name, going up.
    pub(super) fn ticks(self) -> Vec<f64> {
        if !self.logarithmic || self.high / self.low < 4.0 {
            return self.linear_ticks();
        }
        if self.binary {
            let powers: Vec<_> =
                (self.low.log2().ceil() as i32..=self.high.log2() as i32).collect();
            let every = powers.len().div_ceil(TICKS).max(1);
            return powers.into_iter().step_by(every).map(|power| 2f64.powi(power)).collect();
        }
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let with = |steps: &[f64]| -> Vec<f64> {
            let all = decades
                .clone()
                .flat_map(|decade| steps.iter().map(move |s| s * 10f64.powi(decade)));
            all.filter(|value| (self.low..=self.high).contains(value)).collect()
        };
        for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks = with(steps);
            if (2..=TICKS).contains(&ticks.len()) {
                return ticks;
            }
        }
        let ticks = with(&[1.0]);
        let every = ticks.len().div_ceil(TICKS).max(1);
        ticks.into_iter().step_by(every).collect()
    }

    fn linear_ticks(self) -> Vec<f64> {
        let unit = match self.binary {
            true => 1024f64.powf(self.high.log(1024.0).floor().max(0.0)),
            false => 1.0,
        };
        let rough = (self.high - self.low) / unit / (TICKS - 1) as f64;
        let decade = 10f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
        let step = step * unit;
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|count| count as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_apart_gets_a_logarithmic_axis() {
        let near = Axis::around([1.0, 2.0]).unwrap();
        let far = Axis::around([1.0, 100.0]).unwrap();
        assert!((near.at(1.5) - 0.5).abs() < 1e-9 && (far.at(10.0) - 0.5).abs() < 1e-9);
        assert_eq!(far.ticks(), [1.0, 3.0, 10.0, 30.0, 100.0]);
        assert_eq!(Axis::around([]), None);
        assert_eq!(Axis::around([f64::NAN]), None);
    }

    #[test]
    fn ticks_are_round_few_and_inside() {
        for values in
            [[0.0, 0.0], [5.0, 5.0], [3e-9, 4e-9], [0.97, 1.04], [1e3, 9e11], [0.0, 100.0]]
        {
            for axis in [Axis::around(values), Axis::logarithmic(values)].into_iter().flatten() {
                let ticks = axis.ticks();
                assert!((1..=TICKS + 1).contains(&ticks.len()), "{axis:?} {ticks:?}");
                assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&axis.at(*tick))));
            }
        }
    }

    #[test]
    fn sizes_are_round_in_their_own_units() {
        let near = Axis::around([30.0 * 1024.0, 50.0 * 1024.0]).unwrap().of(Scale::Bytes);
        assert_eq!(near.ticks()[0] % 1024.0, 0.0);
        let far = Axis::around([300.0, 40_000.0]).unwrap().of(Scale::Bytes);
        assert_eq!(far.ticks(), [512.0, 2048.0, 8192.0, 32768.0]);
    }

    #[test]
    fn a_value_outside_is_drawn_at_the_end() {
        assert_eq!(Axis::of_shares().at(2.0), 1.0);
        assert_eq!(Axis::logarithmic([1.0, 10.0]).unwrap().at(0.0), 0.0);
    }
}
