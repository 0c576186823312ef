//! How formats show a document: none of them knows a section.

pub(crate) mod html;
pub mod layout;
mod map;
pub mod markdown;
pub mod terminal;
