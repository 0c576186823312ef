//! The built harness as a user would run it.

mod bench;
mod book;
mod chromium;
mod decide;
mod faults;
mod forms;
mod hostile;
mod interrupt;
mod limits;
mod load;
mod map;
mod methodology;
mod page;
mod readme;
mod runs;
mod service;
mod settings;
mod tables;
mod vocabulary;
