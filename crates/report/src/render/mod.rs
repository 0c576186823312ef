//! How formats show a document: none of them knows a section.

pub(crate) mod html;
pub mod layout;
pub mod markdown;
pub mod terminal;
