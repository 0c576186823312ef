//! What a profile file holds: a field for each key, with its place where a refusal may be about it.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::DeTable;

use crate::refusal::{Refusal, missing};
use record::service::{self, Optimise};
use record::values;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    #[serde(deserialize_with = "name")]
    pub name: Spanned<String>,
    pub load: Load,
    /// At least one.
    #[serde(rename = "class")]
    pub classes: Vec<Class>,
    pub objective: Objective,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub preferences: Preferences,
}

/// `[load]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(crate) struct Load {
    #[serde(deserialize_with = "connections")]
    pub connections: Spanned<u64>,
    #[serde(default, deserialize_with = "rate")]
    pub rate: Option<Spanned<u64>>,
}

/// `[[class]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(crate) struct Class {
    #[serde(deserialize_with = "name")]
    pub name: Spanned<String>,
    #[serde(deserialize_with = "share")]
    pub share: Spanned<f64>,
    #[serde(deserialize_with = "wait")]
    pub wait: Spanned<Duration>,
    #[serde(deserialize_with = "cpu")]
    pub cpu: Spanned<Duration>,
    #[serde(deserialize_with = "payload")]
    pub payload: Spanned<u64>,
    #[serde(default)]
    pub blocking: bool,
}

/// `[objective]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(crate) struct Objective {
    #[serde(deserialize_with = "objective")]
    pub p99: Spanned<Duration>,
    #[serde(deserialize_with = "optimise")]
    pub optimise: Spanned<Optimise>,
}

/// `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(crate) struct Limits {
    #[serde(default, deserialize_with = "memory")]
    pub memory: Option<Spanned<u64>>,
    #[serde(default, deserialize_with = "threads")]
    pub threads: Option<Spanned<u64>>,
}

/// `[preferences]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(crate) struct Preferences {
    pub maintained_only: bool,
    pub no_async: bool,
    pub callable_from_sync: bool,
    pub order: Vec<Spanned<String>>,
    pub exclude: Vec<Spanned<String>>,
}

impl Default for Preferences {
    fn default() -> Self {
        let usual = service::Preferences::default();
        Preferences {
            maintained_only: usual.maintained_only,
            no_async: usual.no_async,
            callable_from_sync: usual.callable_from_sync,
            order: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl Profile {
    /// Reads the text of a file; what its values mean together is not looked at.
    ///
    /// # Errors
    /// One thing that is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let document = DeTable::parse(text).map_err(|error| Refusal::of_syntax(&error, text))?;
        // What is missing from the whole file belongs at its beginning.
        let document = Spanned::new(0..text.len(), document.into_inner());
        let profile = Profile::deserialize(toml::Deserializer::from(document.clone()))
            .map_err(|error| Refusal::of_value(&error, document))?;
        if profile.classes.is_empty() {
            return Err(missing(0, "class"));
        }
        Ok(profile)
    }
}

/// Reads a value as it is written, then what it means; the result says where it stands.
fn read<'de, D, Written, T, R>(
    from: D,
    mean: fn(Written) -> Result<T, String>,
) -> Result<R, D::Error>
where
    D: Deserializer<'de>,
    Written: Deserialize<'de>,
    R: From<Spanned<T>>,
{
    let written = Spanned::<Written>::deserialize(from)?;
    let span = written.span();
    let value = mean(written.into_inner()).map_err(D::Error::custom)?;
    Ok(Spanned::new(span, value).into())
}

/// A reader for each kind of value: its name, what is read, and what that means.
macro_rules! readers {
    ($($name:ident: $value:ty = $mean:expr;)*) => {$(
        fn $name<'de, D, R>(from: D) -> Result<R, D::Error>
        where
            D: Deserializer<'de>,
            R: From<Spanned<$value>>,
        {
            read(from, $mean)
        }
    )*};
}

readers! {
    name: String = |text: String| values::name(&text);
    connections: u64 = values::connections;
    rate: u64 = values::rate;
    share: f64 = values::share;
    wait: Duration = |text: String| values::wait(&text);
    cpu: Duration = |text: String| values::cpu(&text);
    payload: u64 = |text: String| values::payload(&text);
    objective: Duration = |text: String| values::objective(&text);
    optimise: Optimise = |text: String| text.parse();
    memory: u64 = |text: String| values::memory(&text);
    threads: u64 = values::threads;
}
