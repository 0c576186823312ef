//! The built harness as a user would run it.

mod bench;
mod faults;
mod runs;
mod vocabulary;
