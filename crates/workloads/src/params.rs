//! Typed parameters that can be set as `key=value` and are checked against documented ranges.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Which values a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Range {
    /// A whole number between two bounds, both included.
    Integer(u64, u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Text that this function takes, and what that is.
    Text(fn(&str) -> bool, &'static str),
}

/// A parameter as the user sees it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub range: Range,
    /// What it is, with its unit.
    pub meaning: &'static str,
}

/// The parameters of a workload: a flat structure of whole numbers and words.
pub trait Params:
    Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static
{
    /// Every field, in order.
    const KEYS: &'static [Key];

    /// Reads the parameters and checks every range.
    ///
    /// # Errors
    /// If a key is unknown, missing, of another type or out of range.
    fn from_json(value: &Value) -> Result<Self, ParamError> {
        let params: Self = serde_json::from_value(value.clone())
            .map_err(|e| ParamError::Malformed(e.to_string()))?;
        match Self::KEYS.iter().find(|key| !key.admits(&value[key.name])) {
            Some(key) => Err(key.out_of_range(value[key.name].to_string())),
            None => Ok(params),
        }
    }
}

/// Declares the parameters of a workload: the struct and its [`Params::KEYS`].
///
/// The doc text of a field is its meaning. After the type come the values: `in` a range, `of` a
/// list of words, or `as` text that a function takes and a phrase for what that is.
macro_rules! params {
    ($(#[$about:meta])* $vis:vis struct $name:ident { $(
        $(#[doc = $meaning:literal])+
        $field_vis:vis $field:ident: $type:ident
        $(of $words:tt)? $(as ($takes:expr, $what:expr))? $(in $range:expr)?
    ),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $vis struct $name {
            $($(#[doc = $meaning])+ $field_vis $field: $type,)+
        }

        impl $crate::Params for $name {
            const KEYS: &'static [$crate::Key] = &[$($crate::Key {
                name: stringify!($field),
                range: {
                    $({
                        let range: ::std::ops::RangeInclusive<u64> = $range;
                        $crate::Range::Integer(*range.start(), *range.end())
                    })?
                    $($crate::Range::OneOf(&$words))?
                    $($crate::Range::Text($takes, $what))?
                },
                meaning: concat!($($meaning),+).trim_ascii(),
            }),+];
        }
    };
}
pub(crate) use params;

/// Why a parameter was refused. Each is one sentence that names the input and what to give instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamError {
    /// The text is not `key=value`.
    NotAnAssignment(String),
    /// No such key; holds the key and the ones there are.
    UnknownKey(String, String),
    /// The value is not of the key's range; holds key, value and range.
    OutOfRange(String, String, String),
    /// The parameters are not of the workload's form; holds the reason.
    Malformed(String),
}

impl std::fmt::Display for ParamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParamError::NotAnAssignment(text) => {
                write!(f, "parameter `{text}` is not an assignment: write it as key=value")
            }
            ParamError::UnknownKey(key, known) => {
                write!(f, "unknown parameter `{key}`: the keys here are {known}")
            }
            ParamError::OutOfRange(key, value, range) => {
                write!(f, "parameter `{key}={value}` is out of range: give {range}")
            }
            ParamError::Malformed(reason) => write!(f, "malformed parameters: {reason}"),
        }
    }
}

impl std::error::Error for ParamError {}

/// Sets one `key=value` in parameters that are held as a JSON object.
///
/// # Errors
/// If the text is no assignment, names no key, or its value is out of range.
pub fn set(params: &mut Value, keys: &[Key], assignment: &str) -> Result<(), ParamError> {
    let (name, text) = assignment
        .split_once('=')
        .ok_or_else(|| ParamError::NotAnAssignment(assignment.to_owned()))?;
    let (name, text) = (name.trim(), text.trim());
    let key = keys.iter().find(|key| key.name == name).ok_or_else(|| {
        let known: Vec<_> = keys.iter().map(|key| key.name).collect();
        ParamError::UnknownKey(name.to_owned(), known.join(", "))
    })?;
    let value = match key.range {
        Range::Integer(..) => text.parse::<u64>().map(Value::from).ok(),
        Range::OneOf(_) | Range::Text(..) => Some(Value::from(text)),
    };
    params[name] =
        value.filter(|value| key.admits(value)).ok_or_else(|| key.out_of_range(text.to_owned()))?;
    Ok(())
}

impl Key {
    fn admits(&self, value: &Value) -> bool {
        match self.range {
            Range::Integer(low, high) => {
                value.as_u64().is_some_and(|number| (low..=high).contains(&number))
            }
            Range::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Range::Text(takes, _) => value.as_str().is_some_and(takes),
        }
    }

    fn out_of_range(&self, value: String) -> ParamError {
        ParamError::OutOfRange(self.name.to_owned(), value, self.range.to_string())
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Range::Integer(low, high) => write!(f, "a whole number from {low} to {high}"),
            Range::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Range::Text(_, what) => f.write_str(what),
        }
    }
}

impl From<ParamError> for protocol::Failure {
    fn from(error: ParamError) -> Self {
        protocol::Failure::new(protocol::FailureKind::Crashed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    params! {
        struct Sample {
            /// a number of
            /// two lines
            n: u64 in 1..=10,
            /// a side
            side: String of ["left", "right"],
        }
    }

    #[test]
    fn the_meaning_of_a_key_is_the_doc_text_of_its_field() {
        let meanings: Vec<_> = Sample::KEYS.iter().map(|key| (key.name, key.meaning)).collect();
        assert_eq!(meanings, [("n", "a number of two lines"), ("side", "a side")]);
    }

    fn set_sample(assignment: &str) -> Result<Value, String> {
        let mut params = json!({"n": 1, "side": "left"});
        set(&mut params, Sample::KEYS, assignment).map_err(|e| e.to_string())?;
        Ok(params)
    }

    #[test]
    fn assignments_within_the_range_are_taken() {
        assert_eq!(set_sample("n=10").unwrap(), json!({"n": 10, "side": "left"}));
        assert_eq!(set_sample("side=right").unwrap(), json!({"n": 1, "side": "right"}));
    }

    #[test]
    fn every_refusal_is_one_sentence_naming_the_input_and_what_to_give() {
        let refused = |text| set_sample(text).unwrap_err();
        assert_eq!(refused("n"), "parameter `n` is not an assignment: write it as key=value");
        assert_eq!(refused("m=1"), "unknown parameter `m`: the keys here are n, side");
        assert_eq!(
            refused("n=11"),
            "parameter `n=11` is out of range: give a whole number from 1 to 10"
        );
        assert_eq!(
            refused("n=-1"),
            "parameter `n=-1` is out of range: give a whole number from 1 to 10"
        );
        assert_eq!(
            refused("side=up"),
            "parameter `side=up` is out of range: give one of left, right"
        );
    }

    #[test]
    fn parsing_refuses_unknown_missing_and_absurd_fields() {
        assert!(Sample::from_json(&json!({"n": 5, "side": "left"})).is_ok());
        assert!(Sample::from_json(&json!({"n": 5})).is_err());
        assert!(Sample::from_json(&json!({"n": 5, "side": "left", "more": 1})).is_err());
        assert!(Sample::from_json(&json!({"n": 0, "side": "left"})).is_err());
    }
}
