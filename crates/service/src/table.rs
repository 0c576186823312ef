//! Where in a profile file a value stands, and how a wrong one is refused: by line, key and mend.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use workloads::UsageError;

use record::values::quoted;

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where in the text; nowhere if the whole file is meant.
    pub at: Option<usize>,
    /// Dotted, such as `load.rate`; empty if no key is meant.
    pub key: String,
    /// What is wrong and the mend.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(span: Range<usize>, key: impl Into<String>, reason: String) -> Self {
        Refusal { at: Some(span.start), key: key.into(), reason }
    }

    /// The refusal of this file, whose text is given, in one sentence on one line.
    pub(crate) fn in_file(&self, file: &str, text: &str) -> UsageError {
        let line = |at: usize| {
            let before = text.as_bytes().iter().take(at);
            format!(":{}", before.filter(|&&byte| byte == b'\n').count() + 1)
        };
        let place = self.at.map(line).unwrap_or_default();
        self.sentence(&format!("{file}{place}"))
    }

    /// The refusal of a profile that is in no file yet.
    pub(crate) fn in_command(&self, command: &str) -> UsageError {
        self.sentence(command)
    }

    fn sentence(&self, place: &str) -> UsageError {
        let Refusal { key, reason, .. } = self;
        let separator = if key.is_empty() { "" } else { ": " };
        let sentence = format!("{place}: {key}{separator}{reason}");
        // Keys and file names may hold anything.
        let escape =
            |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
        UsageError(sentence.chars().map(escape).collect())
    }
}

/// Why a value is not taken.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It is of another type than this one.
    Type(&'static str),
    /// The reason, with the mend.
    Value(String),
}

/// A key, and how it is written for example.
pub(crate) type Key = (&'static str, &'static str);

/// A table of the file whose values are taken one by one.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// As it is written: `[load]`, or empty for the whole file.
    heading: &'static str,
    span: Range<usize>,
    entries: DeTable<'a>,
    keys: &'static [Key],
}

impl<'a> Table<'a> {
    /// A table that may hold these keys.
    ///
    /// # Errors
    /// If it holds another: more likely misspelt than forgotten, so that it comes before what is missing.
    pub(crate) fn open(
        heading: &'static str,
        table: Spanned<DeTable<'a>>,
        keys: &'static [Key],
    ) -> Result<Self, Refusal> {
        let span = table.span();
        let table = Table { heading, span, entries: table.into_inner(), keys };
        let known = |name: &str| keys.iter().any(|(key, _)| *key == name);
        let unknown = table.entries.keys().filter(|name| !known(name.get_ref()));
        let Some(first) = unknown.min_by_key(|name| name.span().start) else { return Ok(table) };
        let names: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
        let whose = if heading.is_empty() { "a profile" } else { heading };
        let name = first.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name = if name.len() <= 40 && name.chars().all(plain) {
            name.to_string()
        } else {
            quoted(name)
        };
        let reason = format!("unknown key: the keys of {whose} are {}", names.join(", "));
        Err(Refusal::new(first.span(), table.path(&name), reason))
    }

    /// The key with the name of its table.
    fn path(&self, key: &str) -> String {
        match self.heading.trim_matches(['[', ']']) {
            "" => key.to_owned(),
            table => format!("{table}.{key}"),
        }
    }

    fn example(&self, key: &str) -> &'static str {
        self.keys.iter().find(|(name, _)| *name == key).map_or("", |(_, example)| example)
    }

    /// The value of a key that may be left out.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, Problem>,
    ) -> Result<Option<Spanned<T>>, Refusal> {
        let Some(value) = self.entries.remove(key) else { return Ok(None) };
        match read(value.get_ref()) {
            Ok(read) => Ok(Some(Spanned::new(value.span(), read))),
            Err(problem) => Err(self.refusal(key, &value, problem)),
        }
    }

    /// The value of a key that has to be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, Problem>,
    ) -> Result<Spanned<T>, Refusal> {
        self.optional(key, read)?.ok_or_else(|| self.missing(key))
    }

    /// The table of a key, or `None` if it is left out.
    pub(crate) fn table(&mut self, key: &str) -> Result<Option<Spanned<DeTable<'a>>>, Refusal> {
        let table = |value: &DeValue<'a>| match value {
            DeValue::Table(table) => Ok(table.clone()),
            _ => Err(Problem::Type("a table")),
        };
        self.optional(key, table)
    }

    /// The tables of a key; none if it is left out.
    pub(crate) fn tables(&mut self, key: &str) -> Result<Vec<Spanned<DeTable<'a>>>, Refusal> {
        let tables = |value: &DeValue<'a>| {
            let DeValue::Array(array) = value else {
                return Err(Problem::Type("a list of tables"));
            };
            let table = |item: &Spanned<DeValue<'a>>| match item.get_ref() {
                DeValue::Table(table) => Ok(Spanned::new(item.span(), table.clone())),
                _ => Err(Problem::Type("a list of tables")),
            };
            array.iter().map(table).collect()
        };
        Ok(self.optional(key, tables)?.map(Spanned::into_inner).unwrap_or_default())
    }

    /// That this key is not there.
    pub(crate) fn missing(&self, key: &str) -> Refusal {
        let example = self.example(key);
        let reason = format!("missing: add it, such as {example}");
        Refusal::new(self.span.clone(), self.path(key), reason)
    }

    fn refusal(&self, key: &str, value: &Spanned<DeValue<'a>>, problem: Problem) -> Refusal {
        let reason = match problem {
            Problem::Value(reason) => reason,
            Problem::Type(expected) => {
                let found = match value.get_ref() {
                    DeValue::String(_) => "text",
                    DeValue::Integer(_) => "a whole number",
                    DeValue::Float(_) => "a number",
                    DeValue::Boolean(_) => "true or false",
                    DeValue::Datetime(_) => "a date or time of day",
                    DeValue::Array(_) => "a list",
                    DeValue::Table(_) => "a table",
                };
                // A list that is expected and found has something wrong in it.
                let found = if expected.starts_with(found) { "something else" } else { found };
                format!("{found} where {expected} belongs: write {}", self.example(key))
            }
        };
        Refusal::new(value.span(), self.path(key), reason)
    }
}
