//! The built harness as a user would run it.

mod bench;
mod chromium;
mod faults;
mod methodology;
mod page;
mod runs;
mod vocabulary;
