//! The form in which a strategy does a workload, and whether it may be recommended.

use std::io;

use serde::{Deserialize, Serialize};

/// The form in which a strategy does a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// The form in a few words.
    pub form: String,
    /// The page of the model's own documentation that recommends it.
    pub link: String,
    /// Whether the form may be recommended.
    pub standing: Standing,
}

impl How {
    /// A form that the model's documentation recommends for this.
    pub fn fair(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Fair })
    }

    /// A form that works well and that the model was not made for.
    pub fn off_label(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::OffLabel })
    }

    /// A known mistake, measured for its price.
    pub fn misuse(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Misuse })
    }

    /// No model at all: what the others are held against.
    pub fn floor(form: &str, link: &str) -> Option<Self> {
        Some(How { form: form.to_owned(), link: link.to_owned(), standing: Standing::Floor })
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
}

impl Standing {
    /// What is put behind a case in a list of forms; nothing for the usual standing.
    pub fn remark(self) -> &'static str {
        match self {
            Standing::Fair => "",
            Standing::OffLabel => " (off-label)",
            Standing::Misuse => " (misuse)",
            Standing::Floor => " (floor)",
        }
    }
}

/// The error of a strategy that has no honest form of a workload; the reason goes into the report.
pub fn unsupported(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, reason.into())
}
