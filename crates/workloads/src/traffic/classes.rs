//! The classes of requests of `traffic`, and how they are written as one text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::service::{MAX_SIZE, MAX_WAIT};

/// Classes at most.
pub const MAX_CLASSES: usize = 8;
/// Longest computing of a request, microseconds.
pub const MAX_CPU_US: u64 = 1_000_000;

/// A class of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestClass {
    /// How many of a thousand requests are of this class.
    pub per_mille: u32,
    /// How long it waits, for a database or another service.
    pub wait: Duration,
    /// How long it computes after that, microseconds.
    pub cpu_us: u64,
    /// Size of the answer, bytes.
    pub size: u32,
    /// Whether the wait is a blocking call that has no asynchronous form.
    pub blocking: bool,
}

/// All classes, whose shares add up to a thousand. Written as words such as `900/20000/50/4096/async`:
/// per mille, wait and computing in microseconds, bytes of the answer, and `async` or `blocking`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes(Vec<RequestClass>);

impl Classes {
    /// Checks the classes.
    ///
    /// # Errors
    /// One clause that says what is wrong with them.
    pub fn new(classes: Vec<RequestClass>) -> Result<Self, String> {
        let total: u32 = classes.iter().map(|class| class.per_mille).sum();
        if classes.is_empty() || classes.len() > MAX_CLASSES {
            return Err(format!("give 1 to {MAX_CLASSES} classes"));
        }
        if total != 1_000 || classes.iter().any(|class| class.per_mille == 0) {
            return Err("the shares are positive and add up to 1,000".to_owned());
        }
        let too_much = |class: &RequestClass| {
            class.wait > MAX_WAIT || class.cpu_us > MAX_CPU_US || class.size > MAX_SIZE
        };
        if classes.iter().any(too_much) {
            return Err(format!(
                "a request waits for at most {} s, computes for at most {MAX_CPU_US} µs and answers at \
                 most {MAX_SIZE} bytes",
                MAX_WAIT.as_secs()
            ));
        }
        Ok(Classes(classes))
    }

    /// Each of them.
    pub fn each(&self) -> &[RequestClass] {
        &self.0
    }
}

impl FromStr for Classes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let class = |word: &str| {
            let parts: Vec<_> = word.split('/').collect();
            let [per_mille, wait_us, cpu_us, size, kind] = parts[..] else { return None };
            Some(RequestClass {
                per_mille: per_mille.parse().ok()?,
                wait: Duration::from_micros(wait_us.parse().ok()?),
                cpu_us: cpu_us.parse().ok()?,
                size: size.parse().ok()?,
                blocking: match kind {
                    "async" => false,
                    "blocking" => true,
                    _ => return None,
                },
            })
        };
        let classes: Option<Vec<_>> = text.split_whitespace().map(class).collect();
        Classes::new(
            classes.ok_or("a class is per mille/wait µs/computing µs/bytes/async or blocking")?,
        )
    }
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, class) in self.0.iter().enumerate() {
            let RequestClass { per_mille, wait, cpu_us, size, blocking } = class;
            let kind = if *blocking { "blocking" } else { "async" };
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{per_mille}/{}/{cpu_us}/{size}/{kind}", wait.as_micros())?;
        }
        Ok(())
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_read_as_they_are_written() {
        let text = "900/20000/50/4096/async 100/0/5000/0/blocking";
        let classes: Classes = text.parse().unwrap();
        assert_eq!(classes.to_string(), text);
        assert_eq!(classes.each()[1].cpu_us, 5_000);
        for wrong in [
            "",
            "1000/0/0/0",
            "1000/0/0/0/sometimes",
            "900/0/0/0/async",
            "1000/61000000/0/0/async",
            "1000/0/1000001/0/async",
            "1000/0/-1/0/async",
        ] {
            assert!(wrong.parse::<Classes>().is_err(), "{wrong}");
        }
    }
}
