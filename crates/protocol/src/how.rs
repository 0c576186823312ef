//! The form in which a strategy does a workload, and whether it may be recommended.

use std::io;

use serde::{Deserialize, Serialize};

/// The form in which a strategy does a workload, or why it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// The form in a few words; the reason in one sentence where the standing is [`Standing::Unsupported`].
    pub form: String,
    /// The page of the model's own documentation that recommends it; empty where there is no form.
    pub link: String,
    /// Whether the form may be recommended.
    pub standing: Standing,
}

impl How {
    /// A form that the model's documentation recommends for this.
    pub fn fair(form: &str, link: &str) -> Self {
        How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Fair }
    }

    /// A form that works well and that the model was not made for.
    pub fn off_label(form: &str, link: &str) -> Self {
        How { standing: Standing::OffLabel, ..How::fair(form, link) }
    }

    /// A known mistake, measured for its price.
    pub fn misuse(form: &str, link: &str) -> Self {
        How { standing: Standing::Misuse, ..How::fair(form, link) }
    }

    /// No model at all: what the others are held against.
    pub fn floor(form: &str, link: &str) -> Self {
        How { standing: Standing::Floor, ..How::fair(form, link) }
    }

    /// No honest form, for this reason: one sentence, which goes into the report.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        How { form: reason.into(), link: String::new(), standing: Standing::Unsupported }
    }
}

/// Whether a form may be recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// What the model's documentation recommends.
    Fair,
    /// Sound, though not what the model was made for.
    OffLabel,
    /// A known mistake; never recommended.
    Misuse,
    /// No model at all.
    Floor,
    /// No honest form. Not part of any message or file: a worker replies `failed` instead.
    #[serde(skip)]
    Unsupported,
}

impl Standing {
    /// What is put behind a case in a list of forms; nothing for the usual standing, nor where there is no form.
    pub fn remark(self) -> &'static str {
        match self {
            Standing::Fair | Standing::Unsupported => "",
            Standing::OffLabel => " (off-label)",
            Standing::Misuse => " (misuse)",
            Standing::Floor => " (floor)",
        }
    }
}

/// The error where the machine, or the number of workers, does not give a strategy what it needs; the reason goes
/// into the report. A model without an honest form says so by [`How::unsupported`] instead.
pub fn unsupported(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, reason.into())
}
