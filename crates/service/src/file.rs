//! What a profile file holds: its tables and keys as they are written, each with its place.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::table::{Key, Problem, Refusal, Table};
use record::service::Optimise;
use record::values;

const PROFILE: &[Key] = &[
    ("name", "name = \"API gateway\""),
    ("load", "[load]"),
    ("class", "[[class]]"),
    ("objective", "[objective]"),
    ("limits", "[limits]"),
    ("preferences", "[preferences]"),
];
const LOAD: &[Key] = &[("connections", "connections = 500"), ("rate", "rate = 2000")];
const CLASS: &[Key] = &[
    ("name", "name = \"proxy\""),
    ("share", "share = 0.9"),
    ("wait", "wait = \"20ms\""),
    ("cpu", "cpu = \"50us\""),
    ("payload", "payload = \"4KiB\""),
    ("blocking", "blocking = false"),
];
const OBJECTIVE: &[Key] = &[("p99", "p99 = \"100ms\""), ("optimise", "optimise = \"throughput\"")];
const LIMITS: &[Key] = &[("memory", "memory = \"512MiB\""), ("threads", "threads = 300")];
const PREFERENCES: &[Key] = &[
    ("maintained_only", "maintained_only = true"),
    ("no_async", "no_async = false"),
    ("callable_from_sync", "callable_from_sync = false"),
    ("order", "order = [\"tokio\", \"threads\"]"),
    ("exclude", "exclude = [\"rayon\"]"),
];

/// The whole file.
#[derive(Debug)]
pub(crate) struct RawProfile {
    pub name: Spanned<String>,
    pub load: RawLoad,
    /// At least one.
    pub classes: Vec<RawClass>,
    pub objective: RawObjective,
    pub limits: RawLimits,
    pub preferences: RawPreferences,
}

/// `[load]`.
#[derive(Debug)]
pub(crate) struct RawLoad {
    pub connections: Spanned<u64>,
    pub rate: Option<Spanned<u64>>,
}

/// `[[class]]`.
#[derive(Debug)]
pub(crate) struct RawClass {
    pub name: Spanned<String>,
    pub share: Spanned<f64>,
    pub wait: Spanned<Duration>,
    pub cpu: Spanned<Duration>,
    pub payload: Spanned<u64>,
    pub blocking: Option<Spanned<bool>>,
}

/// `[objective]`.
#[derive(Debug)]
pub(crate) struct RawObjective {
    pub p99: Spanned<Duration>,
    pub optimise: Spanned<Optimise>,
}

/// `[limits]`.
#[derive(Debug, Default)]
pub(crate) struct RawLimits {
    pub memory: Option<Spanned<u64>>,
    pub threads: Option<Spanned<u64>>,
}

/// `[preferences]`.
#[derive(Debug, Default)]
pub(crate) struct RawPreferences {
    pub maintained_only: Option<Spanned<bool>>,
    pub no_async: Option<Spanned<bool>>,
    pub callable_from_sync: Option<Spanned<bool>>,
    pub order: Vec<Spanned<String>>,
    pub exclude: Vec<Spanned<String>>,
}

impl RawProfile {
    /// Reads the text of a file; what its values mean together is not looked at.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let document = DeTable::parse(text).map_err(|error| {
            let end = text.trim_end().len();
            // A file that ends too early is wrong where its last line is.
            let at = error.span().map(|span| span.start.min(end));
            let reason = format!("not TOML: {}: correct this line", error.message());
            Refusal { at, key: String::new(), reason }
        })?;
        // What is missing from the whole file belongs at its beginning.
        let document = Spanned::new(0..text.len(), document.into_inner());
        let mut table = Table::open("", document, PROFILE)?;
        let name = table.required("name", |value| with(text_of, values::name, value))?;
        let load = table.table("load")?.ok_or_else(|| table.missing("load"))?;
        let classes = table.tables("class")?;
        if classes.is_empty() {
            return Err(table.missing("class"));
        }
        let objective = table.table("objective")?.ok_or_else(|| table.missing("objective"))?;
        let limits = table.table("limits")?;
        let preferences = table.table("preferences")?;
        Ok(RawProfile {
            name,
            load: RawLoad::read(load)?,
            classes: classes.into_iter().map(RawClass::read).collect::<Result<_, _>>()?,
            objective: RawObjective::read(objective)?,
            limits: limits.map(RawLimits::read).transpose()?.unwrap_or_default(),
            preferences: preferences.map(RawPreferences::read).transpose()?.unwrap_or_default(),
        })
    }
}

impl RawLoad {
    fn read(table: Spanned<DeTable<'_>>) -> Result<Self, Refusal> {
        let mut table = Table::open("[load]", table, LOAD)?;
        Ok(RawLoad {
            connections: table
                .required("connections", |value| with(integer, values::connections, value))?,
            rate: table.optional("rate", |value| with(integer, values::rate, value))?,
        })
    }
}

impl RawClass {
    fn read(table: Spanned<DeTable<'_>>) -> Result<Self, Refusal> {
        let mut table = Table::open("[[class]]", table, CLASS)?;
        Ok(RawClass {
            name: table.required("name", |value| with(text_of, values::name, value))?,
            share: table.required("share", |value| with(number, values::share, value))?,
            wait: table.required("wait", |value| with(text_of, values::wait, value))?,
            cpu: table.required("cpu", |value| with(text_of, values::cpu, value))?,
            payload: table.required("payload", |value| with(text_of, values::payload, value))?,
            blocking: table.optional("blocking", boolean)?,
        })
    }
}

impl RawObjective {
    fn read(table: Spanned<DeTable<'_>>) -> Result<Self, Refusal> {
        let mut table = Table::open("[objective]", table, OBJECTIVE)?;
        Ok(RawObjective {
            p99: table.required("p99", |value| with(text_of, values::objective, value))?,
            optimise: table
                .required("optimise", |value| with(text_of, str::parse::<Optimise>, value))?,
        })
    }
}

impl RawLimits {
    fn read(table: Spanned<DeTable<'_>>) -> Result<Self, Refusal> {
        let mut table = Table::open("[limits]", table, LIMITS)?;
        Ok(RawLimits {
            memory: table.optional("memory", |value| with(text_of, values::memory, value))?,
            threads: table.optional("threads", |value| with(integer, values::threads, value))?,
        })
    }
}

impl RawPreferences {
    fn read(table: Spanned<DeTable<'_>>) -> Result<Self, Refusal> {
        let mut table = Table::open("[preferences]", table, PREFERENCES)?;
        let mut list = |key| {
            let list = table.optional(key, texts)?;
            Ok::<_, Refusal>(list.map(Spanned::into_inner).unwrap_or_default())
        };
        let (order, exclude) = (list("order")?, list("exclude")?);
        Ok(RawPreferences {
            maintained_only: table.optional("maintained_only", boolean)?,
            no_async: table.optional("no_async", boolean)?,
            callable_from_sync: table.optional("callable_from_sync", boolean)?,
            order,
            exclude,
        })
    }
}

/// Reads a value of one type, then what it means.
fn with<'v, Plain, T>(
    read: impl FnOnce(&'v DeValue<'_>) -> Result<Plain, Problem>,
    mean: impl FnOnce(Plain) -> Result<T, String>,
    value: &'v DeValue<'_>,
) -> Result<T, Problem> {
    mean(read(value)?).map_err(Problem::Value)
}

fn text_of<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Problem> {
    value.as_str().ok_or(Problem::Type("text in quotation marks"))
}

fn boolean(value: &DeValue<'_>) -> Result<bool, Problem> {
    value.as_bool().ok_or(Problem::Type("true or false"))
}

/// A whole number of any size: one that is too large is out of range, whatever it is.
fn integer(value: &DeValue<'_>) -> Result<i128, Problem> {
    if let Some(float) = value.as_float()
        && let Ok(number) = float.as_str().parse::<f64>()
        && number.is_finite()
    {
        let whole = number.round();
        return Err(Problem::Value(format!(
            "{} is no whole number: write {whole}",
            float.as_str()
        )));
    }
    let integer = value.as_integer().ok_or(Problem::Type("a whole number"))?;
    let too_large = if integer.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
    Ok(i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(too_large))
}

fn number(value: &DeValue<'_>) -> Result<f64, Problem> {
    if let Some(float) = value.as_float() {
        return Ok(float.as_str().parse().unwrap_or(f64::NAN));
    }
    integer(value).map(|integer| integer as f64).map_err(|_| Problem::Type("a number"))
}

fn texts(value: &DeValue<'_>) -> Result<Vec<Spanned<String>>, Problem> {
    let problem = || Problem::Type("a list of names");
    let text = |item: &Spanned<DeValue<'_>>| {
        let text = item.get_ref().as_str().ok_or_else(problem)?;
        Ok(Spanned::new(item.span(), text.to_owned()))
    };
    value.as_array().ok_or_else(problem)?.iter().map(text).collect()
}
