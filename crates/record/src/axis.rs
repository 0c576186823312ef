//! What can lie along an axis of a map, and where its points are.

use std::str::FromStr;
use std::time::Duration;

use protocol::units;
use serde::{Deserialize, Serialize};

use crate::values;
use crate::values::{grouped, quoted, size, time};

/// Points of an axis at most.
const MOST_POINTS: usize = 40;

/// What changes along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Clients, each with one request under way.
    Connections,
    /// Mean computing of a request, microseconds.
    Cpu,
    /// Mean waiting of a request, microseconds.
    Wait,
    /// Mean size of an answer, bytes.
    Payload,
    /// How many of a thousand requests wait in a blocking call.
    Blocking,
    /// Worker threads.
    Workers,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 6] = [
        Quantity::Connections,
        Quantity::Cpu,
        Quantity::Wait,
        Quantity::Payload,
        Quantity::Blocking,
        Quantity::Workers,
    ];

    /// Its name on the command line and in the ids of cases.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Connections => "connections",
            Quantity::Cpu => "cpu",
            Quantity::Wait => "wait",
            Quantity::Payload => "payload",
            Quantity::Blocking => "blocking",
            Quantity::Workers => "workers",
        }
    }

    /// What the axis is called in a drawing.
    pub fn title(self) -> &'static str {
        match self {
            Quantity::Connections => "connections",
            Quantity::Cpu => "computing of a request",
            Quantity::Wait => "waiting of a request",
            Quantity::Payload => "size of an answer",
            Quantity::Blocking => "share of blocking calls",
            Quantity::Workers => "worker threads",
        }
    }

    /// A value in a drawing, such as `1,000` and `300 µs`.
    pub fn shown(self, value: u64) -> String {
        match self {
            Quantity::Connections | Quantity::Workers => grouped(value),
            Quantity::Cpu | Quantity::Wait => time(value as f64 * 1e3),
            Quantity::Payload => size(value),
            Quantity::Blocking => units::percent(value as f64 / 1e3),
        }
    }

    /// A value in a sentence, such as `1,000 connections` and `300 µs of computing`.
    pub fn in_words(self, value: u64) -> String {
        match self {
            Quantity::Connections if value == 1 => "1 connection".to_owned(),
            Quantity::Workers if value == 1 => "1 worker".to_owned(),
            _ => self.phrase(&self.shown(value)),
        }
    }

    /// Several values in a sentence, such as `1 µs to 100 µs of computing`.
    fn range_in_words(self, low: u64, high: u64) -> String {
        if low == high {
            return self.in_words(low);
        }
        self.phrase(&format!("{} to {}", self.shown(low), self.shown(high)))
    }

    fn phrase(self, shown: &str) -> String {
        match self {
            Quantity::Connections => format!("{shown} connections"),
            Quantity::Cpu => format!("{shown} of computing"),
            Quantity::Wait => format!("{shown} of waiting"),
            Quantity::Payload => format!("answers of {shown}"),
            Quantity::Blocking => format!("{shown} of blocking calls"),
            Quantity::Workers => format!("{shown} workers"),
        }
    }

    /// A value as it is written on the command line and in the ids of cases, such as `1000` and `300us`.
    pub fn written(self, value: u64) -> String {
        match self {
            Quantity::Connections | Quantity::Workers => value.to_string(),
            Quantity::Cpu | Quantity::Wait if value.is_multiple_of(1_000_000) => {
                format!("{}s", value / 1_000_000)
            }
            Quantity::Cpu | Quantity::Wait if value.is_multiple_of(1_000) => {
                format!("{}ms", value / 1_000)
            }
            Quantity::Cpu | Quantity::Wait => format!("{value}us"),
            Quantity::Payload if value.is_multiple_of(1 << 20) => format!("{}MiB", value >> 20),
            Quantity::Payload if value.is_multiple_of(1 << 10) => format!("{}KiB", value >> 10),
            Quantity::Payload => format!("{value}B"),
            Quantity::Blocking => (value as f64 / 1e3).to_string(),
        }
    }

    fn read(self, text: &str) -> Result<u64, String> {
        let whole = |text: &str| -> Result<i128, String> {
            let refuse = |_| format!("{} is no whole number: write one such as 500", quoted(text));
            text.parse().map_err(refuse)
        };
        let micros = |time: Duration| match time.as_micros() as u64 {
            0 => Err(format!("{} is too short: give 1us or more", quoted(text))),
            micros => Ok(micros),
        };
        match self {
            Quantity::Connections => values::connections(whole(text)?),
            Quantity::Cpu => values::cpu(text).and_then(micros),
            Quantity::Wait => values::wait(text).and_then(micros),
            Quantity::Payload => match values::payload(text)? {
                0 => Err(format!("{} is too small: give 1B or more", quoted(text))),
                bytes => Ok(bytes),
            },
            Quantity::Blocking => {
                let share: Option<f64> = text.parse().ok();
                let share = share.filter(|share| (0.0..=1.0).contains(share));
                let refuse = || format!("{} is no share: give a number from 0 to 1", quoted(text));
                share.map(|share| (share * 1e3).round() as u64).ok_or_else(refuse)
            }
            Quantity::Workers => match whole(text)? {
                workers @ 1..=1_024 => Ok(workers as u64),
                workers => Err(format!("{workers} is out of range: give 1 to 1,024")),
            },
        }
    }

    /// From where to where, unless the user says.
    fn usual(self) -> (u64, u64) {
        match self {
            Quantity::Connections => (1, 10_000),
            Quantity::Cpu => (1, 1_000_000),
            Quantity::Wait => (100, 1_000_000),
            Quantity::Payload => (64, 1 << 20),
            Quantity::Blocking => (0, 1_000),
            Quantity::Workers => {
                (1, machine::limits::Limits::of_this_process().workers().max(2) as u64)
            }
        }
    }
}

/// An axis as it is asked for: `cpu=1us..1s`, or `cpu` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What changes along it.
    pub quantity: Quantity,
    low: u64,
    high: u64,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, range) = match text.split_once('=') {
            Some((name, range)) => (name, Some(range)),
            None => (text, None),
        };
        let known = Quantity::ALL.into_iter().find(|quantity| quantity.name() == name);
        let quantity = known.ok_or_else(|| {
            let names = Quantity::ALL.map(Quantity::name).join(", ");
            format!("{} is unknown: give one of {names}", quoted(name))
        })?;
        let Some(range) = range else {
            let (low, high) = quantity.usual();
            return Ok(Span { quantity, low, high });
        };
        let (low, high) = range.split_once("..").ok_or_else(|| {
            let (low, high) = quantity.usual();
            let (low, high) = (quantity.written(low), quantity.written(high));
            format!("{} is no range: write {name}={low}..{high}", quoted(range))
        })?;
        let (low, high) = (quantity.read(low.trim())?, quantity.read(high.trim())?);
        if low >= high {
            let range = quoted(range);
            return Err(format!("{range} does not go up: give the smaller value first"));
        }
        Ok(Span { quantity, low, high })
    }
}

/// How many points a decade has; other axes have as many in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// 1, 10, 100
    One,
    /// 1, 3, 10
    Two,
    /// 1, 2, 5, 10
    Three,
}

impl Resolution {
    /// All of them, the coarsest first.
    pub const ALL: [Resolution; 3] = [Resolution::One, Resolution::Two, Resolution::Three];

    /// How many points a decade has.
    pub fn per_decade(self) -> usize {
        self.mantissas().len()
    }

    /// The beginnings of the values of a decade.
    fn mantissas(self) -> &'static [u64] {
        match self {
            Resolution::One => &[1],
            Resolution::Two => &[1, 3],
            Resolution::Three => &[1, 2, 5],
        }
    }
}

/// An axis with its points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Axis {
    /// What changes along it.
    pub quantity: Quantity,
    /// Going up: a count, microseconds, bytes or thousandths.
    pub values: Vec<u64>,
}

impl Axis {
    /// The points of a span: its ends and what the resolution has between them.
    ///
    /// # Errors
    /// If they are too many: how many, and what to do.
    pub fn new(span: Span, resolution: Resolution) -> Result<Self, String> {
        let Span { quantity, low, high } = span;
        let mut values = match quantity {
            Quantity::Blocking => {
                let parts = 4 * resolution.per_decade() as u64;
                (0..=parts).map(|part| low + (high - low) * part / parts).collect()
            }
            Quantity::Workers => {
                let doubled = |workers: &u64| Some(2 * workers).filter(|&next| next < high);
                std::iter::successors(Some(low), doubled).chain([high]).collect()
            }
            _ => {
                let decades = (0..12).map(|power| 10_u64.saturating_pow(power));
                let each = decades
                    .flat_map(|decade| resolution.mantissas().iter().map(move |m| m * decade));
                let inner = each.filter(|value| (low + 1..high).contains(value));
                [low].into_iter().chain(inner).chain([high]).collect::<Vec<_>>()
            }
        };
        values.dedup();
        if values.len() > MOST_POINTS {
            let (count, name) = (values.len(), quantity.name());
            return Err(format!("{name} would have {count} points: give a shorter range"));
        }
        Ok(Axis { quantity, values })
    }

    /// The axis as it is written on the command line, such as `cpu=1us..1s`.
    pub fn written(&self) -> String {
        let (low, high) = (self.values[0], self.values[self.values.len() - 1]);
        let quantity = self.quantity;
        format!("{}={}..{}", quantity.name(), quantity.written(low), quantity.written(high))
    }

    /// The values from one point to another, by index, in a sentence, such as `1 µs to 100 µs of computing`.
    pub fn in_words(&self, from: usize, to: usize) -> String {
        self.quantity.range_in_words(self.values[from], self.values[to])
    }

    /// The value of each point as a drawing names it.
    pub fn shown(&self) -> Vec<String> {
        self.values.iter().map(|value| self.quantity.shown(*value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(text: &str) -> Axis {
        Axis::new(text.parse().unwrap(), Resolution::Two).unwrap()
    }

    #[test]
    fn points_are_the_round_values_of_each_decade_between_the_ends() {
        assert_eq!(axis("connections=1..100").values, [1, 3, 10, 30, 100]);
        assert_eq!(axis("cpu=50us..2ms").values, [50, 100, 300, 1_000, 2_000]);
        assert_eq!(axis("blocking=0..0.8").values, [0, 100, 200, 300, 400, 500, 600, 700, 800]);
        assert_eq!(axis("workers=1..6").values, [1, 2, 4, 6]);
        let fine = Axis::new("wait=1ms..10ms".parse().unwrap(), Resolution::Three).unwrap();
        assert_eq!(fine.values, [1_000, 2_000, 5_000, 10_000]);
        assert_eq!((axis("connections").values.len(), axis("cpu").values.len()), (9, 13));
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        for text in
            ["connections=1..30000", "cpu=1500us..1s", "payload=100B..64KiB", "blocking=0.1..1"]
        {
            assert_eq!(axis(text).written(), text);
        }
    }

    #[test]
    fn what_is_no_axis_is_refused_with_the_mend() {
        for (text, reason) in [
            (
                "colour",
                "\"colour\" is unknown: give one of connections, cpu, wait, payload, blocking, workers",
            ),
            ("cpu=", "\"\" is no range: write cpu=1us..1s"),
            ("cpu=1us", "\"1us\" is no range: write cpu=1us..1s"),
            ("cpu=1ms..1us", "\"1ms..1us\" does not go up: give the smaller value first"),
            ("cpu=0s..1ms", "\"0s\" is too short: give 1us or more"),
            ("cpu=1us..2s", "\"2s\" is too long: give at most 1 s"),
            ("connections=0..5", "0 is out of range: give 1 to 100,000"),
            ("connections=-1..5", "-1 is out of range: give 1 to 100,000"),
            ("payload=0..1KiB", "\"0\" is too small: give 1B or more"),
            ("blocking=0..2", "\"2\" is no share: give a number from 0 to 1"),
            ("workers=0..2", "0 is out of range: give 1 to 1,024"),
        ] {
            assert_eq!(text.parse::<Span>().unwrap_err(), reason, "{text}");
        }
    }
}
