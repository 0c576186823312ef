//! How a mistake in a profile file is refused: by line, key and what to do.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};
use workloads::UsageError;

use record::values::quoted;

/// A file with every key: refusals show its lines as examples.
const EXAMPLE: &str = include_str!("example.toml");

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where in the text; nowhere if the whole file is meant.
    pub at: Option<usize>,
    /// Dotted, such as `load.rate`; empty if no key is meant.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(span: Range<usize>, key: impl Into<String>, reason: String) -> Self {
        Refusal { at: Some(span.start), key: key.into(), reason }
    }

    /// The refusal of a text that is not TOML.
    pub(crate) fn of_syntax(error: &Error, text: &str) -> Self {
        let end = text.trim_end().len();
        // A file that ends too early is wrong where its last line is.
        let at = error.span().map(|span| span.start.min(end));
        let reason = format!("not TOML: {}: correct this line", error.message());
        Refusal { at, key: String::new(), reason }
    }

    /// The refusal of a document that does not hold what it should: serde's reason in this project's words.
    pub(crate) fn of_value(error: &Error, document: Spanned<DeTable<'_>>) -> Self {
        let span = error.span().unwrap_or_default();
        let document = Spanned::new(document.span(), DeValue::Table(document.into_inner()));
        let (path, value) = find(&document, &span, "").unwrap_or_default();
        let message = error.message();
        let (what, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
        if let Some(field) = what.strip_prefix("missing field ") {
            return missing(span.start, &below(&path, field.trim_matches('`')));
        }
        let reason = if what.starts_with("unknown field ") {
            let table = path.rsplit_once('.').map_or("", |(table, _)| table);
            let whose = if table.is_empty() { "a profile" } else { example(table) };
            let keys: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
            format!("unknown key: the keys of {whose} are {}", keys.join(", "))
        } else if let Some((written, number)) =
            value.and_then(finite).filter(|_| expected == "i128")
        {
            format!("{written} is no whole number: write {}", number.round())
        } else if what.starts_with("invalid type: ") {
            let expected = match expected {
                "a string" => "text in quotation marks",
                "a boolean" => "true or false",
                "a sequence" => "a list",
                "f64" => "a number",
                "i128" => "a whole number",
                other => other,
            };
            let found = value.map_or("something else", type_of);
            format!("{found} where {expected} belongs: write {}", example(&path))
        } else if message.contains(": ") {
            message.to_owned()
        } else {
            // What the TOML reader itself does not take says no more than what it is.
            format!("{message}: write {}", example(&path))
        };
        Refusal::new(span, path, reason)
    }

    /// The refusal of this file, whose text is given, in one sentence on one line.
    pub(crate) fn in_file(&self, file: &str, text: &str) -> UsageError {
        let line = |at: usize| {
            let before = text.as_bytes().iter().take(at);
            format!(":{}", before.filter(|&&byte| byte == b'\n').count() + 1)
        };
        let place = self.at.map(line).unwrap_or_default();
        self.in_command(&format!("{file}{place}"))
    }

    /// The refusal of a profile that is in no file yet, after the name of the command.
    pub(crate) fn in_command(&self, command: &str) -> UsageError {
        let Refusal { key, reason, .. } = self;
        let separator = if key.is_empty() { "" } else { ": " };
        let sentence = format!("{command}: {key}{separator}{reason}");
        // Keys and file names may hold anything.
        let escape =
            |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
        UsageError(sentence.chars().map(escape).collect())
    }
}

/// That this key is not there, in the table at this place.
pub(crate) fn missing(at: usize, key: &str) -> Refusal {
    Refusal::new(at..at, key, format!("missing: add it, such as {}", example(key)))
}

/// The line of the example with this key, or the heading of this table.
fn example(path: &str) -> &'static str {
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut heading = "";
    let is_meant = |line: &&'static str| match line.split_once(" = ") {
        Some((name, _)) => (heading, name) == (table, key),
        None => {
            heading = line.trim_matches(['[', ']']);
            heading == path
        }
    };
    EXAMPLE.lines().find(is_meant).unwrap_or_default()
}

/// The dotted path of the value or key at this place below the given path, and the value.
fn find<'v, 'a>(
    value: &'v Spanned<DeValue<'a>>,
    span: &Range<usize>,
    path: &str,
) -> Option<(String, Option<&'v DeValue<'a>>)> {
    if value.span() == *span {
        return Some((path.to_owned(), Some(value.get_ref())));
    }
    match value.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(key, value)| {
            let path = below(path, key.get_ref());
            find(value, span, &path).or_else(|| (key.span() == *span).then_some((path, None)))
        }),
        DeValue::Array(array) => array.iter().find_map(|value| find(value, span, path)),
        _ => None,
    }
}

/// A key with the path of its table.
fn below(table: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_plain = key.len() <= 40 && key.chars().all(plain);
    let key = if is_plain { key.to_owned() } else { quoted(key) };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// A number with a point or an exponent, as it is written and as it is meant, unless it is infinite or none.
fn finite<'v>(value: &'v DeValue<'_>) -> Option<(&'v str, f64)> {
    let written = value.as_float()?.as_str();
    let number = written.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some((written, number))
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time of day",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
