//! Which services there is an example of: the files in `profiles/`.

use std::fmt;

use clap::ValueEnum;

/// A kind of service with an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Calls slow backends and passes on what they answer
    Gateway,
    /// Creates, reads, updates and deletes rows of a database through a blocking driver
    Crud,
    /// Makes reports or images: mostly computing
    Generator,
    /// Holds many connections that are idle most of the time
    Chat,
    /// Works off a queue of jobs
    Batch,
    /// Takes events of a stream one by one
    Stream,
    /// Has a user interface that must stay responsive beside long computing
    Ui,
}

impl Kind {
    /// The text of its example.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Kind::Gateway => include_str!("../../../profiles/api-gateway.toml"),
            Kind::Crud => include_str!("../../../profiles/crud.toml"),
            Kind::Generator => include_str!("../../../profiles/report-generator.toml"),
            Kind::Chat => include_str!("../../../profiles/chat.toml"),
            Kind::Batch => include_str!("../../../profiles/batch.toml"),
            Kind::Stream => include_str!("../../../profiles/stream.toml"),
            Kind::Ui => include_str!("../../../profiles/ui.toml"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no kind is skipped");
        f.write_str(value.get_name())
    }
}
