//! Which single values a profile file may hold: times, sizes, numbers, shares and names, and how to write them.
//!
//! A reason for a refusal quotes the value and ends with what to do.

use std::time::Duration;

use protocol::units;
pub use protocol::units::grouped;
use workloads::service;

/// Most connections of a service.
pub const MAX_CONNECTIONS: u64 = 100_000;
/// Highest rate of requests, a second.
pub const MAX_RATE: u64 = 10_000_000;
/// Longest computing of a request.
const MAX_CPU: Duration = Duration::from_secs(1);
/// Longest time that an objective may allow.
const MAX_OBJECTIVE: Duration = Duration::from_secs(600);
/// Most memory that a limit may state.
const MAX_MEMORY: u64 = 16 << 40;
/// Most threads that a limit may state: Linux has no more process ids.
const MAX_THREADS: u64 = 1 << 22;
/// Longest name, characters.
const MAX_NAME: usize = 60;
/// Characters of a value that a refusal quotes.
const QUOTED: usize = 40;

/// Units of sizes, the largest first in each family.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A value that a user gave, in quotation marks, on one line and cut off after 40 characters.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
    }
}

/// A number in three significant digits without zeros at the end, such as `0.16`.
pub fn number(value: f64) -> String {
    short(&units::digits(value))
}

/// A time given in nanoseconds, in three significant digits at most and its best unit, such as `20 ms`.
pub fn time(ns: f64) -> String {
    short(&units::duration(ns))
}

/// A size in three significant digits at most and its best unit, such as `4 KiB`.
pub fn size(bytes: u64) -> String {
    short(&units::bytes(bytes as f64))
}

fn short(text: &str) -> String {
    let (number, unit) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    format!("{number}{unit}")
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| {
        let example = "write a time with its unit, such as \"20ms\", \"1.5s\" or \"50us\"";
        format!("{} is no time: {example}", quoted(text))
    })
}

fn duration_up_to(text: &str, most: Duration) -> Result<Duration, String> {
    let time = duration(text)?;
    if time > most {
        let (text, most) = (quoted(text), most.as_secs());
        return Err(format!("{text} is too long: give at most {most} s"));
    }
    Ok(time)
}

/// Reads how long a request waits: a time with its unit, at most a minute.
///
/// # Errors
/// If it is no such time: the value, the reason and what to do.
pub fn wait(text: &str) -> Result<Duration, String> {
    duration_up_to(text, service::MAX_WAIT)
}

/// Reads how long a request computes: a time with its unit, at most a second.
///
/// # Errors
/// If it is no such time: the value, the reason and what to do.
pub fn cpu(text: &str) -> Result<Duration, String> {
    duration_up_to(text, MAX_CPU)
}

/// Reads within which time requests have to be answered: a time with its unit, above zero and at most ten minutes.
///
/// # Errors
/// If it is no such time: the value, the reason and what to do.
pub fn objective(text: &str) -> Result<Duration, String> {
    let time = duration_up_to(text, MAX_OBJECTIVE)?;
    if time.is_zero() {
        return Err(format!("{} cannot be met: give more than 0 s", quoted(text)));
    }
    Ok(time)
}

fn bytes(text: &str) -> Result<u64, String> {
    let refuse = || {
        let example = "write a size with its unit, such as \"4KiB\" (B, kB, MB, GB, KiB, MiB, GiB)";
        format!("{} is no size: {example}", quoted(text))
    };
    let text = text.trim();
    let (number, unit) = match SIZES
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))
    {
        Some(found) => found,
        // Nothing needs no unit.
        None if text == "0" => return Ok(0),
        None => return Err(refuse()),
    };
    // Nothing but digits and a point: `parse` would take signs, exponents and infinity too.
    if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(refuse());
    }
    let number: f64 = number.parse().map_err(|_| refuse())?;
    Ok((number * unit as f64).round() as u64)
}

/// Reads how large an answer is, in bytes: a size with its unit, at most 1 MiB.
///
/// # Errors
/// If it is no such size: the value, the reason and what to do.
pub fn payload(text: &str) -> Result<u64, String> {
    let size = bytes(text)?;
    if size > u64::from(service::MAX_SIZE) {
        return Err(format!("{} is too large: give at most 1 MiB", quoted(text)));
    }
    Ok(size)
}

/// Reads how much memory a process may take, in bytes: a size with its unit, above zero and at most 16 TiB.
///
/// # Errors
/// If it is no such size: the value, the reason and what to do.
pub fn memory(text: &str) -> Result<u64, String> {
    let memory = bytes(text)?;
    if memory == 0 {
        return Err(format!("{} lets nothing run: give more or leave it out", quoted(text)));
    }
    if memory > MAX_MEMORY {
        return Err(format!("{} is too large: give at most 16384 GiB", quoted(text)));
    }
    Ok(memory)
}

/// Takes what lies in the range, so that a number of any size is refused with the same words.
fn between(number: i128, most: u64) -> Result<u64, String> {
    let fits = u64::try_from(number).ok().filter(|number| (1..=most).contains(number));
    fits.ok_or_else(|| format!("{number} is out of range: give 1 to {}", grouped(most)))
}

/// Takes a number of clients, from 1 to [`MAX_CONNECTIONS`].
///
/// # Errors
/// If it is out of range: the number and the range.
pub fn connections(number: i128) -> Result<u64, String> {
    between(number, MAX_CONNECTIONS)
}

/// Takes a rate of requests a second, from 1 to [`MAX_RATE`].
///
/// # Errors
/// If it is out of range: the number and the range.
pub fn rate(number: i128) -> Result<u64, String> {
    between(number, MAX_RATE)
        .map_err(|reason| format!("{reason}, or leave it out for as many as can be served in time"))
}

/// Takes a number of threads that a process may have: as many as Linux has process ids, at most.
///
/// # Errors
/// If it is out of range: the number and the range.
pub fn threads(number: i128) -> Result<u64, String> {
    between(number, MAX_THREADS).map_err(|reason| format!("{reason}, or leave it out"))
}

/// Takes the part of all requests that a class has, from 0.001 to 1.
///
/// # Errors
/// If it is out of range: the number and the range.
pub fn share(number: f64) -> Result<f64, String> {
    if (0.001..=1.0).contains(&number) {
        return Ok(number);
    }
    Err(format!("{number} is out of range: give 0.001 to 1"))
}

/// Reads a name, without the white space around it: 1 to 60 characters, none of which is a control character.
///
/// # Errors
/// If it is none: the value, the reason and what to do.
pub fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(format!("{} names nothing: give 1 to {MAX_NAME} characters", quoted(text)));
    }
    if name.chars().count() > MAX_NAME {
        return Err(format!("{} is too long: give at most {MAX_NAME} characters", quoted(name)));
    }
    if name.chars().any(char::is_control) {
        return Err(format!("{} holds a control character: leave it out", quoted(name)));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        assert_eq!(wait("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(wait("1s 500ms"), wait("1.5s"));
        assert_eq!(wait("0s"), Ok(Duration::ZERO));
        assert_eq!(wait("60s"), Ok(service::MAX_WAIT));
        assert_eq!(
            wait("20 minutes").unwrap_err(),
            "\"20 minutes\" is too long: give at most 60 s"
        );
        assert_eq!(cpu("1001ms").unwrap_err(), "\"1001ms\" is too long: give at most 1 s");
        assert_eq!(objective("601s").unwrap_err(), "\"601s\" is too long: give at most 600 s");
        assert_eq!(objective("0s").unwrap_err(), "\"0s\" cannot be met: give more than 0 s");
        for text in ["", "20", "-5ms", "fast", "1e3ms", "20 ms ms", "inf s", "9999999999999999999s"]
        {
            let reason = wait(text).unwrap_err();
            assert!(reason.contains("such as \"20ms\"") || reason.contains("at most"), "{reason}");
        }
    }

    #[test]
    fn sizes_have_a_unit_and_an_end() {
        let known = [("4KiB", 4096), ("4 kB", 4000), ("1.5MiB", 3 << 19), ("0", 0), ("16 B", 16)];
        for (text, size) in known {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        assert_eq!(bytes("2GB"), Ok(2_000_000_000));
        assert_eq!(payload("1MiB"), Ok(1 << 20));
        assert_eq!(payload("1025KiB").unwrap_err(), "\"1025KiB\" is too large: give at most 1 MiB");
        assert_eq!(memory("0B").unwrap_err(), "\"0B\" lets nothing run: give more or leave it out");
        assert!(memory(&format!("{}GiB", "9".repeat(400))).unwrap_err().contains("16384 GiB"));
        for text in ["", "4", "B", "-4KiB", "4kib", "1e3 B", "infB", "+1B", "1.2.3B", "4 Ki B"] {
            let reason = bytes(text).unwrap_err();
            assert!(
                reason.ends_with("such as \"4KiB\" (B, kB, MB, GB, KiB, MiB, GiB)"),
                "{reason}"
            );
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        assert_eq!(connections(100_000), Ok(100_000));
        for number in [0, -1, 100_001, i128::MAX] {
            let expected = format!("{number} is out of range: give 1 to 100,000");
            assert_eq!(connections(number).unwrap_err(), expected);
        }
        assert!(rate(0).unwrap_err().ends_with(
            "give 1 to 10,000,000, or leave it out for as many as can be served in time"
        ));
        assert!(rate(10_000_001).is_err() && rate(10_000_000).is_ok());
        assert!(threads(0).is_err() && threads(1).is_ok());
        for number in [0.0, -0.5, 1.1, 0.0009, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let expected = format!("{number} is out of range: give 0.001 to 1");
            assert_eq!(share(number).unwrap_err(), expected);
        }
        assert_eq!((share(0.001), share(1.0)), (Ok(0.001), Ok(1.0)));
    }

    #[test]
    fn names_are_short_and_harmless() {
        assert_eq!(name(" API gateway "), Ok("API gateway".to_owned()));
        assert_eq!(name(&"ä".repeat(60)), Ok("ä".repeat(60)));
        assert_eq!(name(" ").unwrap_err(), "\" \" names nothing: give 1 to 60 characters");
        let long = name(&"ä".repeat(61)).unwrap_err();
        assert!(long.ends_with("…\" is too long: give at most 60 characters"), "{long}");
        assert!(name("a\u{1b}[31m").unwrap_err().contains("\\u{1b}"));
    }

    #[test]
    fn what_is_printed_is_short() {
        assert_eq!((grouped(0), grouped(999)), ("0".to_owned(), "999".to_owned()));
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!((time(2e7), time(1.85e7)), ("20 ms".to_owned(), "18.5 ms".to_owned()));
        assert_eq!((size(4096), size(0)), ("4 KiB".to_owned(), "0 B".to_owned()));
        assert_eq!((number(0.16), number(100.0)), ("0.16".to_owned(), "100".to_owned()));
    }
}
