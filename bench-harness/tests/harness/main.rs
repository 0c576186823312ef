//! The built harness as a user would run it.

mod bench;
mod chromium;
mod faults;
mod hostile;
mod methodology;
mod page;
mod runs;
mod tables;
mod vocabulary;
